"""Calibration: is a confidence of 0.8 right in 80 % of cases (Guo et al. 2017)?"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

BINS = 15
# The temperature that is fitted lies between these.
TEMPERATURES = (1e-2, 1e2)
# Rounding may move a probability of float32 above 1 by this much.
ROUNDING = 1e-6


def reliability(
    confidence: ArrayLike,
    correct: ArrayLike,
    bins: int = BINS,
) -> pd.DataFrame:
    """Tabulate the reliability diagram: a row per bin of equal width.

    A bin holds its lower end; the last one also holds 1.

    Args:
        confidence: Float [n], the largest probability of each prediction.
        correct: Bool [n], is the prediction right?
        bins: Number of bins.

    Returns:
        Columns low, high, n, confidence (the mean) and accuracy; the last two are NaN in an
        empty bin.

    Raises:
        ValueError: If the lengths differ or a confidence lies outside [0, 1].
    """
    confidence = np.asarray(confidence, dtype=float)
    correct = np.asarray(correct, dtype=bool)
    _check_confidences(confidence, correct)
    edges = np.linspace(0, 1, bins + 1)
    # The bin of a value is that of the last edge that does not exceed it.
    bin_index = np.searchsorted(edges, confidence, side="right") - 1
    bin_index = np.clip(bin_index, 0, bins - 1)
    counts = np.bincount(bin_index, minlength=bins)
    total_confidence = np.bincount(bin_index, confidence, bins)
    correct_counts = np.bincount(bin_index, correct, bins)
    # In an empty bin, 0 / 0 is the NaN that is meant.
    with np.errstate(invalid="ignore"):
        mean_confidence = total_confidence / counts
        accuracy = correct_counts / counts
    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": counts,
            "confidence": mean_confidence,
            "accuracy": accuracy,
        }
    )


def _check_confidences(
    confidence: np.ndarray,
    correct: np.ndarray,
) -> None:
    if confidence.shape != correct.shape or confidence.ndim != 1:
        raise ValueError(
            f"need one confidence per answer: {confidence.shape}, {correct.shape}"
        )
    if len(confidence) == 0:
        return
    # NaN is in no range, so it is refused too.
    is_in_range = confidence.min() >= 0 and confidence.max() <= 1 + ROUNDING
    if not is_in_range:
        raise ValueError("a confidence must lie between 0 and 1")


def ece(
    confidence: ArrayLike,
    correct: ArrayLike,
    bins: int = BINS,
) -> float:
    """Compute the expected calibration error (Guo et al. 2017, equation 3).

    It is the mean distance of accuracy and confidence over the bins of ``reliability``.

    Args:
        confidence: Float [n], the largest probability of each prediction.
        correct: Bool [n], is the prediction right?
        bins: Number of bins.

    Returns:
        A fraction; NaN without examples.

    Raises:
        ValueError: As for ``reliability``.
    """
    table = reliability(confidence, correct, bins)
    n = table["n"].sum()
    if n == 0:
        return float("nan")
    # ECE = sum over bins of n_bin / n * |accuracy - confidence|; an empty bin adds 0.
    difference = table["accuracy"] - table["confidence"]
    gap = difference.abs().fillna(0)
    weighted_gap = gap * table["n"]
    return float(weighted_gap.sum() / n)


def nll(logits: ArrayLike, labels: ArrayLike) -> float:
    """Compute the mean negative log-likelihood.

    Args:
        logits: Float [n, classes].
        labels: Int [n].

    Returns:
        The mean in nats; NaN without examples.

    Raises:
        ValueError: If there is not one row of logits per label.
    """
    logits, labels = _checked(logits, labels)
    if len(labels) == 0:
        return float("nan")
    log_probabilities = log_softmax(logits, axis=1)
    rows = np.arange(len(labels))
    log_likelihoods = log_probabilities[rows, labels]
    return float(-log_likelihoods.mean())


def brier(logits: ArrayLike, labels: ArrayLike) -> float:
    """Compute the Brier score: the squared distance of probabilities and label (1950).

    Args:
        logits: Float [n, classes].
        labels: Int [n]; each stands for its one-hot vector.

    Returns:
        The mean, in [0, 2]; NaN without examples.

    Raises:
        ValueError: If there is not one row of logits per label.
    """
    logits, labels = _checked(logits, labels)
    if len(labels) == 0:
        return float("nan")
    # The probabilities minus the one-hot label.
    error = softmax(logits, axis=1)
    rows = np.arange(len(labels))
    error[rows, labels] -= 1
    squared_distances = (error**2).sum(axis=1)
    return float(squared_distances.mean())


def temperature(logits: ArrayLike, labels: ArrayLike) -> float:
    """Fit the temperature T for which ``nll(logits / T, labels)`` is least.

    Args:
        logits: Float [n, classes].
        labels: Int [n].

    Returns:
        T, between 0.01 and 100 (Guo et al. 2017, section 4.2). It is 1 where T changes
        nothing: one class, equal logits, or no examples.

    Raises:
        ValueError: If there is not one row of logits per label.
    """
    logits, labels = _checked(logits, labels)
    # Without examples the largest spread is 0 too.
    spread = np.ptp(logits, axis=1)
    if len(labels) == 0 or spread.max(initial=0) == 0:
        return 1.0

    def loss(log_temperature: float) -> float:
        """The negative log-likelihood at a temperature."""
        scaled_logits = logits / np.exp(log_temperature)
        return nll(scaled_logits, labels)

    # The search is on the logarithm: T and 1 / T are equally far from 1.
    low, high = np.log(TEMPERATURES)
    optimum = minimize_scalar(
        loss,
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(optimum.x))


def confidences(logits: ArrayLike) -> np.ndarray:
    """Compute the confidence of each prediction.

    Args:
        logits: Float [n, classes].

    Returns:
        Float64 [n], the largest probability of each row.
    """
    logits = np.asarray(logits, dtype=float)
    probabilities = softmax(logits, axis=1)
    return probabilities.max(axis=1)


def _checked(
    logits: ArrayLike,
    labels: ArrayLike,
) -> tuple[np.ndarray, np.ndarray]:
    """Logits as float64 and labels as int64, of which there are equally many."""
    logits = np.asarray(logits, dtype=float)
    labels = np.asarray(labels, dtype=int)
    has_row_per_label = logits.shape[:1] == labels.shape
    if logits.ndim != 2 or not has_row_per_label:
        raise ValueError(
            f"need a row of logits per label: {logits.shape}, {labels.shape}"
        )
    return logits, labels
