"""Confidence intervals of one accuracy and of an unweighted mean of accuracies."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv


def tail_quantiles(confidence: float) -> tuple[float, float]:
    """Compute the two quantiles between which an interval lies: 0.95 -> (0.025, 0.975).

    Args:
        confidence: Of the interval.

    Returns:
        The lower and the upper quantile.

    Raises:
        ValueError: If the confidence lies outside (0, 1).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    lower = (1 - confidence) / 2
    upper = (1 + confidence) / 2
    return lower, upper


def _counts(
    k: ArrayLike,
    n: ArrayLike,
) -> tuple[np.ndarray, np.ndarray]:
    """Correct answers and examples as float64, checked."""
    k = np.asarray(k, dtype=float)
    n = np.asarray(n, dtype=float)
    is_count = (0 <= k) & (k <= n) & np.isfinite(n)
    if not is_count.all():
        raise ValueError(
            "counts must be finite with 0 <= k, the correct, <= n, the examples"
        )
    return k, n


def clopper_pearson(
    k: ArrayLike,
    n: ArrayLike,
    confidence: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute exact binomial intervals (Clopper and Pearson 1934).

    Args:
        k: How many answers are correct, a number or an array.
        n: How many examples there are; broadcasts with ``k``.
        confidence: Of the interval.

    Returns:
        Low and high, float64 fractions of the common shape; (0, 1) for n = 0.

    Raises:
        ValueError: If k > n, a count is negative or not finite, or the confidence lies
            outside (0, 1).
    """
    k, n = _counts(k, n)
    lower, upper = tail_quantiles(confidence)
    # The ends are quantiles of Beta(k, n - k + 1) and Beta(k + 1, n - k). A parameter of 0
    # has none: it is replaced before the call, so that the call yields no NaN and warns of
    # nothing, and the end of the interval is then 0 or 1.
    wrong = n - k
    none_right = k == 0
    all_right = k == n
    positive_k = np.where(none_right, 1, k)
    positive_wrong = np.where(all_right, 1, wrong)
    low = betaincinv(positive_k, wrong + 1, lower)
    high = betaincinv(k + 1, positive_wrong, upper)
    low = np.where(none_right, 0.0, low)
    high = np.where(all_right, 1.0, high)
    return low, high


def mean_interval(
    k: ArrayLike,
    n: ArrayLike,
    confidence: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[float, float]:
    """Compute a percentile interval of the unweighted mean accuracy of several sets.

    It is a stratified bootstrap: to resample the n outcomes of a set with replacement is to
    draw once from Binomial(n, k / n). A set with k = 0 or k = n adds no width.

    Args:
        k: Correct answers [sets].
        n: Examples [sets].
        confidence: Of the interval.
        draws: How many means to draw.
        seed: Of the draws.

    Returns:
        Low and high, fractions.

    Raises:
        ValueError: As for ``clopper_pearson``, and if there is no set or an empty one.
    """
    k, n = _counts(k, n)
    k = np.atleast_1d(k)
    n = np.atleast_1d(n)
    set_count = len(n)
    has_empty_set = (n == 0).any()
    if set_count == 0 or has_empty_set:
        raise ValueError("a mean needs at least one set, and examples in every set")
    quantiles = tail_quantiles(confidence)
    rng = np.random.default_rng(seed)
    # [draws, sets]: correct answers of resampled sets.
    accuracies = k / n
    counts = rng.binomial(n.astype(int), accuracies, (draws, set_count))
    resampled_accuracies = counts / n
    means = resampled_accuracies.mean(axis=1)
    low, high = np.quantile(means, quantiles)
    return float(low), float(high)
