"""Calibration: does a confidence of 0.8 mean right in 80 % of cases? (Guo et al. 2017)"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

BINS = 15
TEMPERATURES = (1e-2, 1e2)


def reliability(confidence, correct, bins: int = BINS) -> pd.DataFrame:
    """The reliability diagram: a row per bin of equal width.

    confidence: float [n], the largest probability; correct: bool [n]. Columns: low, high, n,
    confidence (mean), accuracy; NaN in an empty bin. A bin holds its lower end, the last one
    also 1. ValueError for lengths that differ or a confidence outside [0, 1].
    """
    confidence, correct = (
        np.asarray(confidence, dtype=float),
        np.asarray(correct, dtype=bool),
    )
    if confidence.shape != correct.shape or confidence.ndim != 1:
        raise ValueError(
            f"need one confidence per answer: {confidence.shape}, {correct.shape}"
        )
    if len(confidence) and not (confidence.min() >= 0 and confidence.max() <= 1 + 1e-6):
        raise ValueError("a confidence must lie between 0 and 1")
    edges = np.linspace(0, 1, bins + 1)
    which = np.clip(np.searchsorted(edges, confidence, side="right") - 1, 0, bins - 1)
    n = np.bincount(which, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [
            np.bincount(which, values, bins) / n for values in (confidence, correct)
        ]
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n,
            "confidence": means[0],
            "accuracy": means[1],
        }
    )


def ece(confidence, correct, bins: int = BINS) -> float:
    """Expected calibration error: mean distance of accuracy and confidence over ``reliability``.

    A fraction; NaN without examples.
    """
    table = reliability(confidence, correct, bins)
    if table["n"].sum() == 0:
        return float("nan")
    gap = (table["accuracy"] - table["confidence"]).abs().fillna(0)
    return float((gap * table["n"]).sum() / table["n"].sum())


def nll(logits, labels) -> float:
    """Mean negative log-likelihood in nats; logits [n, classes], labels int [n]. NaN for n = 0."""
    logits, labels = _checked(logits, labels)
    if len(labels) == 0:
        return float("nan")
    return float(-log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean())


def brier(logits, labels) -> float:
    """Mean squared distance of probabilities from the one-hot label, in [0, 2] (Brier 1950)."""
    logits, labels = _checked(logits, labels)
    if len(labels) == 0:
        return float("nan")
    error = softmax(logits, axis=1)
    error[np.arange(len(labels)), labels] -= 1
    return float((error**2).sum(axis=1).mean())


def temperature(logits, labels) -> float:
    """The T whose ``nll(logits / T, labels)`` is least (Guo et al. 2017), between 0.01 and 100.

    1 where T changes nothing: one class, equal logits, or no examples.
    """
    logits, labels = _checked(logits, labels)
    if len(labels) == 0 or np.ptp(logits, axis=1).max(initial=0) == 0:
        return 1.0
    low, high = np.log(TEMPERATURES)
    found = minimize_scalar(
        lambda log_t: nll(logits / np.exp(log_t), labels),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


def confidences(logits) -> np.ndarray:
    """float64 [n]: the largest probability of each row of logits [n, classes]."""
    return softmax(np.asarray(logits, dtype=float), axis=1).max(axis=1)


def _checked(logits, labels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    logits, labels = np.asarray(logits, dtype=float), np.asarray(labels, dtype=int)
    if logits.ndim != 2 or logits.shape[:1] != labels.shape:
        raise ValueError(
            f"need a row of logits per label: {logits.shape}, {labels.shape}"
        )
    return logits, labels
