"""Effective robustness: how far a model lies above the line of standard models.

On logit (or probit) axes, accuracy under shift is close to a straight line in reference
accuracy for models trained on the reference set alone (Taori et al. 2020, Miller et al. 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri

from .intervals import tails

AXES = {
    "logit": (logit, expit),
    "probit": (ndtri, ndtr),
    "linear": (np.array, np.array),
}


def transforms(axis: str):
    """(accuracy -> coordinate, coordinate -> accuracy) of an axis, elementwise on arrays."""
    if axis not in AXES:
        raise ValueError(f"unknown axis {axis!r}; allowed: {', '.join(AXES)}")
    return AXES[axis]


def inside(accuracy, n, axis: str = "logit") -> np.ndarray:
    """Accuracies that have a finite place on the axis.

    On logit and probit axes 0 and 1 have none: there values are clipped to [1/(2n),
    1 - 1/(2n)], half an example from the end. On a linear axis nothing changes. Where n is not
    known (NaN) the accuracy stays as it is.
    """
    accuracy, n = np.asarray(accuracy, dtype=float), np.asarray(n, dtype=float)
    if axis == "linear":
        return accuracy
    return np.where(np.isnan(n), accuracy, np.clip(accuracy, 0.5 / n, 1 - 0.5 / n))


@dataclass(frozen=True)
class Line:
    """g(shift) = slope * g(reference) + intercept with g the axis; r over n models."""

    slope: float
    intercept: float
    r: float
    n: int
    axis: str

    def predict(self, reference) -> np.ndarray:
        """Accuracy under shift that the line expects at these reference accuracies."""
        forward, inverse = transforms(self.axis)
        return inverse(
            self.slope * forward(np.asarray(reference, float)) + self.intercept
        )


def _coordinates(reference, shift, axis: str) -> tuple[np.ndarray, np.ndarray]:
    forward, _ = transforms(axis)
    x, y = (
        forward(np.asarray(accuracy, dtype=float)) for accuracy in (reference, shift)
    )
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"need one pair of accuracies per model, got {x.shape} and {y.shape}"
        )
    if len(x) < 3:
        raise ValueError(f"a line needs at least 3 baseline models, got {len(x)}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(
            f"an accuracy has no finite place on the {axis} axis; see `inside`"
        )
    return x, y


def fit_line(reference, shift, axis: str = "logit") -> Line:
    """Least-squares line through baseline models.

    reference, shift: [models] accuracies as fractions, clipped with ``inside`` first.
    ValueError for fewer than three models, an accuracy without a place, an unknown axis.
    """
    from scipy.stats import (
        linregress,
    )  # half a second, and figures draw lines that are there

    x, y = _coordinates(reference, shift, axis)
    fit = linregress(x, y)
    return Line(float(fit.slope), float(fit.intercept), float(fit.rvalue), len(x), axis)


def split(
    reference, knots: Sequence[float] = ()
) -> list[tuple[float, float, np.ndarray]]:
    """(start, end, bool [models]: does the piece hold this model?) of every piece of a line.

    reference: [models] accuracies. knots: rising reference accuracies at which one piece ends and
    the next begins; each piece is fitted by itself, as on ImageNet-A, where one line does not
    hold (imagenet-testbed: at the accuracy of a ResNet-50).
    """
    reference = np.asarray(reference, dtype=float)
    ends = [0.0, *sorted(knots), 1.0]
    return [
        (low, high, (reference >= low) & ((reference < high) | (high == 1)))
        for low, high in pairwise(ends)
    ]


def resampled_lines(
    reference, shift, draws=2_000, seed=0, axis="logit"
) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap of ``fit_line``: slopes and intercepts of lines through resampled models.

    Models are resampled as pairs; a resample of equal reference accuracies has no line and
    is left out, so both arrays [lines] may be shorter than ``draws``. The order of the models
    does not count. ValueError as in ``fit_line``.
    """
    x, y = _coordinates(reference, shift, axis)
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    rows = np.random.default_rng(seed).integers(0, len(x), (draws, len(x)))
    rows = rows[np.ptp(x[rows], axis=1) > 0]
    mean_x, mean_y = x[rows].mean(axis=1), y[rows].mean(axis=1)
    dx, dy = x[rows] - mean_x[:, None], y[rows] - mean_y[:, None]
    slope = (dx * dy).sum(axis=1) / (dx * dx).sum(axis=1)
    return slope, mean_y - slope * mean_x


def band(
    reference, shift, at, confidence=0.95, draws=2_000, seed=0, axis="logit"
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise percentile band of ``resampled_lines`` at reference accuracies ``at`` [points].

    Returns (low, high), accuracies [points]. ValueError as in ``fit_line``.
    """
    forward, inverse = transforms(axis)
    quantiles = tails(confidence)
    slope, intercept = resampled_lines(reference, shift, draws, seed, axis)
    at = forward(np.asarray(at, dtype=float))
    low, high = np.quantile(intercept[:, None] + slope[:, None] * at, quantiles, axis=0)
    return inverse(low), inverse(high)


def effective_robustness(line: Line, reference, shift) -> np.ndarray:
    """rho = accuracy under shift minus what the line predicts (WiSE-FT, section 2)."""
    return np.asarray(shift, dtype=float) - line.predict(reference)


def effective_robustness_interval(
    lines: tuple[np.ndarray, np.ndarray],
    reference: tuple[float, int],
    shifts: tuple[Sequence[float], Sequence[int]],
    confidence=0.95,
    seed=1,
    axis="logit",
) -> tuple[float, float]:
    """Percentile interval of one model's effective robustness; all that is uncertain counts.

    lines: ``resampled_lines``. reference: the model's accuracy and n. shifts: accuracies and
    n, [sets] each; the accuracy under shift is their unweighted mean. Each draw takes one of
    the lines, a reference accuracy from its binomial, and one accuracy per set from theirs (a
    stratified bootstrap, as ``intervals.mean_interval``), all independent; so a baseline
    model's own part in the line is left out. A binomial of accuracy 0 or 1 has no width: its
    probability is moved half an example inside. Without an n there is no interval: NaN.

    Every model is drawn from the same ``seed``, which must not be that of the lines: its
    interval depends neither on the other models nor on their order. In simulations, nominal
    95 % cover the truth in 92 to 95 % with six baseline models or more, 90 % with four, 80 %
    with three. Returns (low, high).
    """
    quantiles = tails(confidence)
    if pd.isna([reference[1], *shifts[1]]).any():
        return float("nan"), float("nan")
    slope, intercept = lines
    forward, inverse = transforms(axis)
    rng = np.random.default_rng(seed)

    def resampled(accuracy, n):
        return rng.binomial(n, inside(accuracy, n), len(slope)) / n

    x = forward(inside(resampled(*reference), reference[1], axis))
    y = np.mean([resampled(accuracy, n) for accuracy, n in zip(*shifts)], axis=0)
    low, high = np.quantile(y - inverse(slope * x + intercept), quantiles)
    return float(low), float(high)
