"""The difference of two models that answered the same examples."""

from dataclasses import dataclass

import numpy as np

from .intervals import tails


@dataclass(frozen=True)
class PairedDifference:
    """A difference of accuracies and its interval, as fractions."""

    difference: float
    low: float
    high: float


def paired_mean_difference(
    a: list[np.ndarray], b: list[np.ndarray], confidence=0.95, draws=10_000, seed=0
) -> PairedDifference:
    """Unweighted mean over sets of accuracy(a) - accuracy(b), with a percentile interval.

    a, b: one bool array per set, True where the model is right, the same examples in the
    same order. The bootstrap resamples examples within each set; the numbers of examples
    that only a or only b gets right are then multinomial, and all others cancel.
    ValueError where the sets do not match or one is empty.
    """
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"need the same sets for both models, got {len(a)} and {len(b)}")
    quantiles = tails(confidence)
    rng = np.random.default_rng(seed)
    difference, resampled = 0.0, np.zeros(draws)
    for index, (right_a, right_b) in enumerate(zip(a, b)):
        right_a, right_b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
        n = right_a.size
        if right_a.shape != right_b.shape or n == 0:
            raise ValueError(f"set {index}: shapes {right_a.shape} and {right_b.shape}")
        won, lost = np.sum(right_a & ~right_b), np.sum(right_b & ~right_a)
        counts = rng.multinomial(n, np.array([won, lost, n - won - lost]) / n, draws)
        difference += (won - lost) / n / len(a)
        resampled += (counts[:, 0] - counts[:, 1]) / n / len(a)
    low, high = np.quantile(resampled, quantiles)
    return PairedDifference(float(difference), float(low), float(high))
