"""Differences of models that answered the same examples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .intervals import tails


@dataclass(frozen=True)
class PairedEstimate:
    """A combination of accuracies and its interval, as fractions."""

    value: float
    low: float
    high: float


def paired_mean(
    terms: Sequence[tuple[float, Sequence[np.ndarray]]], confidence=0.95, draws=10_000, seed=0
) -> PairedEstimate:
    """Unweighted mean over sets of sum(coefficient * accuracy), with a percentile interval.

    terms: per model its coefficient and one bool array per set, True where the model is
    right, for all models the same examples in the same order; [(1, a), (-1, b)] is the
    difference of a and b. The bootstrap resamples examples within each set. What an example
    adds to the sum takes few values (at most 2 to the number of models), and how often each
    is drawn is multinomial. ValueError where the sets do not match or one is empty.
    """
    coefficients, models = zip(*terms)
    counts = [len(sets) for sets in models]
    if len(set(counts)) > 1 or counts[0] == 0:
        raise ValueError(f"need the same sets for every model, got {counts}")
    quantiles = tails(confidence)
    rng = np.random.default_rng(seed)
    value, resampled = 0.0, np.zeros(draws)
    for index, right in enumerate(zip(*models)):
        shapes = [np.shape(array) for array in right]
        n = np.size(right[0])
        if len(set(shapes)) > 1 or n == 0:
            raise ValueError(f"set {index}: shapes {shapes}")
        added = sum(c * np.asarray(array, dtype=bool) for c, array in zip(coefficients, right))
        values, counts = np.unique(added, return_counts=True)
        value += counts @ values / n / len(models[0])
        resampled += rng.multinomial(n, counts / n, draws) @ values / n / len(models[0])
    low, high = np.quantile(resampled, quantiles)
    return PairedEstimate(float(value), float(low), float(high))
