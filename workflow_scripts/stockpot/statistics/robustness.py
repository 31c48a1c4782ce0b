"""Effective robustness: how far a model lies above the baseline fit.

On logit (or probit) axes, accuracy under shift is close to a straight line in reference
accuracy for models that are trained only on the reference distribution (Taori et al. 2020,
Miller et al. 2021).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtr, ndtri

from .intervals import tail_quantiles

# Name of an axis -> (accuracy -> coordinate, coordinate -> accuracy).
AXES = {
    "logit": (logit, expit),
    "probit": (ndtri, ndtr),
    "linear": (np.array, np.array),
}
# A line is fitted through this many baselines or more.
FEWEST_BASELINES = 3


def axis_transforms(axis: str) -> tuple[Callable, Callable]:
    """Look up the two functions of an axis.

    Args:
        axis: One of ``AXES``.

    Returns:
        (accuracy -> coordinate, coordinate -> accuracy), elementwise on arrays.

    Raises:
        ValueError: If the axis is not known.
    """
    if axis not in AXES:
        allowed = ", ".join(AXES)
        raise ValueError(f"unknown axis {axis!r}; allowed: {allowed}")
    return AXES[axis]


def clip_to_axis(
    accuracy: ArrayLike,
    n: ArrayLike,
    axis: str = "logit",
) -> np.ndarray:
    """Clip accuracies to values that have a finite coordinate on an axis.

    On logit and probit axes 0 and 1 have none. There, accuracies are clipped to [1/(2n),
    1 - 1/(2n)], half an example from the end.

    Args:
        accuracy: Fractions, of any shape.
        n: Numbers of examples, which broadcast; NaN where the number is not known.
        axis: One of ``AXES``; on "linear" nothing changes.

    Returns:
        Float64 fractions; those of unknown n are as they were.
    """
    accuracy = np.asarray(accuracy, dtype=float)
    n = np.asarray(n, dtype=float)
    if axis == "linear":
        return accuracy
    # Half an example from 0 and from 1.
    least = 0.5 / n
    most = 1 - 0.5 / n
    clipped = np.clip(accuracy, least, most)
    is_unknown = np.isnan(n)
    return np.where(is_unknown, accuracy, clipped)


@dataclass(frozen=True)
class BaselineFit:
    """The line g(shift) = slope * g(reference) + intercept, with g the axis.

    Attributes:
        slope: Of the line, on the axis.
        intercept: Of the line, on the axis.
        r: Pearson's correlation of the baselines' coordinates.
        n: How many baselines the line was fitted to.
        axis: One of ``AXES``.
    """

    slope: float
    intercept: float
    r: float
    n: int
    axis: str

    def predict(self, reference: ArrayLike) -> np.ndarray:
        """Compute what accuracies under shift the line predicts.

        Args:
            reference: Accuracies on the reference, fractions of any shape.

        Returns:
            Fractions of the same shape.
        """
        forward, inverse = axis_transforms(self.axis)
        x = forward(np.asarray(reference, float))
        y = self.slope * x + self.intercept
        return inverse(y)


def _coordinates(
    reference: ArrayLike,
    shift: ArrayLike,
    axis: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the baselines on both axes, float64 [models] each, checked."""
    forward, _ = axis_transforms(axis)
    reference = np.asarray(reference, dtype=float)
    shift = np.asarray(shift, dtype=float)
    x = forward(reference)
    y = forward(shift)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"need one pair of accuracies per model, got {x.shape} and {y.shape}"
        )
    if len(x) < FEWEST_BASELINES:
        raise ValueError(f"a line needs at least 3 baseline models, got {len(x)}")
    is_finite = np.isfinite(x) & np.isfinite(y)
    if not is_finite.all():
        raise ValueError(
            f"an accuracy has no finite place on the {axis} axis; see `clip_to_axis`"
        )
    return x, y


def fit_line(
    reference: ArrayLike,
    shift: ArrayLike,
    axis: str = "logit",
) -> BaselineFit:
    """Fit the least-squares line through baselines.

    Args:
        reference: Accuracies on the reference [models], clipped with ``clip_to_axis``.
        shift: Accuracies under shift [models], clipped with ``clip_to_axis``.
        axis: One of ``AXES``.

    Returns:
        The line.

    Raises:
        ValueError: If there are fewer than three models, an accuracy has no finite
            coordinate, or the axis is not known.
    """
    # The import takes half a second; figures use this module without fitting a line.
    from scipy.stats import linregress

    x, y = _coordinates(reference, shift, axis)
    fit = linregress(x, y)
    return BaselineFit(
        slope=float(fit.slope),
        intercept=float(fit.intercept),
        r=float(fit.rvalue),
        n=len(x),
        axis=axis,
    )


def line_pieces(
    reference: ArrayLike,
    breakpoints: Sequence[float] = (),
) -> list[tuple[float, float, np.ndarray]]:
    """Divide models by the piece of the line that they belong to.

    A line in pieces is for a shift such as ImageNet-A, where one line does not hold
    (imagenet-testbed puts the breakpoint at the accuracy of a ResNet-50). Each piece is fitted by
    itself.

    Args:
        reference: Accuracies on the reference [models].
        breakpoints: Reference accuracies at which one piece ends and the next begins.

    Returns:
        Of every piece: its two ends, and bool [models], does the model belong to it?
    """
    reference = np.asarray(reference, dtype=float)
    ends = [0.0, *sorted(breakpoints), 1.0]
    pieces = []
    for low, high in pairwise(ends):
        # A piece does not hold its upper end, except the last, which holds 1.
        is_below_high = (reference < high) | (high == 1)
        is_inside = (reference >= low) & is_below_high
        pieces.append((low, high, is_inside))
    return pieces


def resampled_lines(
    reference: ArrayLike,
    shift: ArrayLike,
    draws: int = 2_000,
    seed: int = 0,
    axis: str = "logit",
) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap ``fit_line``: fit lines through resampled models.

    Models are resampled as pairs of accuracies. A resample in which all reference accuracies
    are equal has no line and is left out. The order of the models does not count.

    Args:
        reference: Accuracies on the reference [models], clipped with ``clip_to_axis``.
        shift: Accuracies under shift [models], clipped with ``clip_to_axis``.
        draws: How many times to resample.
        seed: Of the resampling.
        axis: One of ``AXES``.

    Returns:
        Slopes and intercepts, float64 [lines], of which there may be fewer than ``draws``.

    Raises:
        ValueError: As for ``fit_line``.
    """
    x, y = _coordinates(reference, shift, axis)
    # Sorted first, so that one seed draws the same models in whatever order they come.
    order = np.lexsort((y, x))
    x = x[order]
    y = y[order]
    model_count = len(x)
    rng = np.random.default_rng(seed)
    # [draws, models]: the models of each resample.
    rows = rng.integers(0, model_count, (draws, model_count))
    # A line needs two different reference accuracies.
    spread = np.ptp(x[rows], axis=1)
    rows = rows[spread > 0]
    # Float64 [lines, models].
    resampled_x = x[rows]
    resampled_y = y[rows]
    mean_x = resampled_x.mean(axis=1)
    mean_y = resampled_y.mean(axis=1)
    # Least squares: slope = sum(dx dy) / sum(dx^2), through the mean of the points.
    dx = resampled_x - mean_x[:, None]
    dy = resampled_y - mean_y[:, None]
    products = dx * dy
    squares = dx * dx
    sum_dx_dy = products.sum(axis=1)
    sum_dx_dx = squares.sum(axis=1)
    slope = sum_dx_dy / sum_dx_dx
    intercept = mean_y - slope * mean_x
    return slope, intercept


def band(
    reference: ArrayLike,
    shift: ArrayLike,
    at: ArrayLike,
    confidence: float = 0.95,
    draws: int = 2_000,
    seed: int = 0,
    axis: str = "logit",
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the pointwise percentile band of ``resampled_lines``.

    Args:
        reference: Accuracies of the baselines on the reference [models].
        shift: Their accuracies under shift [models].
        at: Reference accuracies at which the band is computed [points].
        confidence: Of the band.
        draws: How many times to resample the models.
        seed: Of the resampling.
        axis: One of ``AXES``.

    Returns:
        Low and high, accuracies under shift [points].

    Raises:
        ValueError: As for ``fit_line``.
    """
    forward, inverse = axis_transforms(axis)
    quantiles = tail_quantiles(confidence)
    slope, intercept = resampled_lines(
        reference,
        shift,
        draws=draws,
        seed=seed,
        axis=axis,
    )
    x = forward(np.asarray(at, dtype=float))
    # Float64 [lines, points]: y = intercept + slope * x.
    y = intercept[:, None] + slope[:, None] * x
    low, high = np.quantile(y, quantiles, axis=0)
    return inverse(low), inverse(high)


def effective_robustness(
    line: BaselineFit,
    reference: ArrayLike,
    shift: ArrayLike,
) -> np.ndarray:
    """Compute effective robustness (WiSE-FT, section 2).

    It is the accuracy under shift - what the line predicts from the reference accuracy.

    Args:
        line: Of the baselines.
        reference: Accuracies on the reference, of any shape.
        shift: Accuracies under shift, of the same shape.

    Returns:
        Fractions of the same shape.
    """
    accuracy = np.asarray(shift, dtype=float)
    predicted = line.predict(reference)
    return accuracy - predicted


def effective_robustness_interval(
    lines: tuple[np.ndarray, np.ndarray],
    reference: tuple[float, int],
    shifts: tuple[Sequence[float], Sequence[int]],
    confidence: float = 0.95,
    seed: int = 1,
    axis: str = "logit",
) -> tuple[float, float]:
    """Compute a percentile interval of one model's effective robustness.

    All that is uncertain counts. Each draw takes one of the lines, a reference accuracy from
    its binomial, and one accuracy per shift from theirs (a stratified bootstrap, as in
    ``intervals.mean_interval``). All of these are independent, so the part that a baseline
    has in its own line is ignored. A binomial of accuracy 0 or 1 has no width: its
    probability is moved half an example inside.

    Every model is drawn from the same seed: its interval depends neither on the other models
    nor on their order. In simulations, intervals of nominally 95 % cover the truth in 92 to
    95 % with six baselines or more, 90 % with four, and 80 % with three.

    Args:
        lines: Slopes and intercepts of ``resampled_lines``.
        reference: The model's accuracy and n on the reference.
        shifts: Its accuracies and n, [sets] each; the accuracy under shift is their
            unweighted mean.
        confidence: Of the interval.
        seed: Of the draws; it must not be that of the lines.
        axis: One of ``AXES``.

    Returns:
        Low and high; NaN where an n is not known.

    Raises:
        ValueError: If the confidence or the axis is wrong.
    """
    quantiles = tail_quantiles(confidence)
    reference_accuracy, reference_n = reference
    shift_accuracies, shift_counts = shifts
    counts = [reference_n, *shift_counts]
    if pd.isna(counts).any():
        return float("nan"), float("nan")
    slope, intercept = lines
    forward, inverse = axis_transforms(axis)
    rng = np.random.default_rng(seed)
    # The reference is drawn first, then each shift in turn: the order is part of the seed.
    draws = len(slope)
    drawn_reference = _resampled_accuracies(rng, reference_accuracy, reference_n, draws)
    drawn_shifts = []
    for accuracy, n in zip(shift_accuracies, shift_counts):
        drawn_shifts.append(_resampled_accuracies(rng, accuracy, n, draws))
    under_shift = np.mean(drawn_shifts, axis=0)
    # Effective robustness = accuracy under shift - g^-1(slope * g(reference) + intercept).
    clipped_reference = clip_to_axis(drawn_reference, reference_n, axis)
    x = forward(clipped_reference)
    predicted = inverse(slope * x + intercept)
    low, high = np.quantile(under_shift - predicted, quantiles)
    return float(low), float(high)


def _resampled_accuracies(
    rng: np.random.Generator,
    accuracy: float,
    n: int,
    draws: int,
) -> np.ndarray:
    """Accuracies of resampled examples, float64 [draws]."""
    probability = clip_to_axis(accuracy, n)
    correct_counts = rng.binomial(n, probability, draws)
    return correct_counts / n
