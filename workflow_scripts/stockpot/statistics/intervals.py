"""Confidence intervals of one accuracy and of an unweighted mean of accuracies."""

import numpy as np
from scipy.special import betaincinv


def tails(confidence: float) -> tuple[float, float]:
    """Lower and upper tail quantile: 0.95 -> (0.025, 0.975). ValueError outside (0, 1)."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {confidence}")
    return (1 - confidence) / 2, (1 + confidence) / 2


def _counts(k, n) -> tuple[np.ndarray, np.ndarray]:
    k, n = (np.asarray(counts, dtype=float) for counts in (k, n))
    if not ((0 <= k) & (k <= n) & np.isfinite(n)).all():
        raise ValueError(
            "counts must be finite with 0 <= k, the correct, <= n, the examples"
        )
    return k, n


def clopper_pearson(k, n, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Exact binomial interval of k correct out of n (Clopper and Pearson 1934).

    k, n: counts, numbers or arrays that broadcast. Returns (low, high), float64 fractions
    of the common shape; (0, 1) for n = 0. ValueError for k > n, a negative or non-finite
    count, and a confidence outside (0, 1).
    """
    k, n = _counts(k, n)
    lower, upper = tails(confidence)
    # The parameter that is 0 at an end of the range is replaced before, not after, the call.
    low = np.where(k == 0, 0.0, betaincinv(np.where(k == 0, 1, k), n - k + 1, lower))
    high = np.where(k == n, 1.0, betaincinv(k + 1, np.where(k == n, 1, n - k), upper))
    return low, high


def mean_interval(k, n, confidence=0.95, draws=10_000, seed=0) -> tuple[float, float]:
    """Percentile interval of the unweighted mean accuracy of several sets.

    k, n: [sets] counts. A stratified bootstrap: resampling the n outcomes of a set with
    replacement is one draw of Binomial(n, k / n). A set with k = 0 or k = n adds no width.
    Returns (low, high), fractions. ValueError as in ``clopper_pearson``, and for an empty set.
    """
    k, n = (np.atleast_1d(counts) for counts in _counts(k, n))
    if len(n) == 0 or (n == 0).any():
        raise ValueError("a mean needs at least one set, and examples in every set")
    quantiles = tails(confidence)
    counts = np.random.default_rng(seed).binomial(n.astype(int), k / n, (draws, len(n)))
    low, high = np.quantile((counts / n).mean(axis=1), quantiles)
    return float(low), float(high)
