"""Differences of models that answered the same examples: intervals, tests, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest, norm
from statsmodels.stats.multitest import multipletests

from .intervals import tails


@dataclass(frozen=True)
class PairedEstimate:
    """A combination of accuracies and its interval, as fractions."""

    value: float
    low: float
    high: float


def paired_mean(
    terms: Sequence[tuple[float, Sequence[np.ndarray]]],
    confidence=0.95,
    draws=10_000,
    seed=0,
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
        added = sum(
            c * np.asarray(array, dtype=bool) for c, array in zip(coefficients, right)
        )
        values, counts = np.unique(added, return_counts=True)
        value += counts @ values / n / len(models[0])
        resampled += rng.multinomial(n, counts / n, draws) @ values / n / len(models[0])
    low, high = np.quantile(resampled, quantiles)
    return PairedEstimate(float(value), float(low), float(high))


def mcnemar(one, other) -> float:
    """Two-sided p of the exact McNemar test: are both models equally often right?

    one, other: bool [n], right or not on the same examples. Only examples on which exactly one
    is right count, and under the hypothesis each is a fair coin (Model soups, section 3.3.2).
    1 where there are none. ValueError where shapes differ.
    """
    (gained,), (lost,) = _discordant([one], [other])
    return float(binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0


def permutation(one: Sequence, other: Sequence, draws=100_000, seed=0) -> float:
    """Two-sided p of a difference between unweighted means over sets, by exchanging answers.

    one, other: a bool array per set. Under the hypothesis the two answers to each example can
    be exchanged, so the examples that only ``one`` answers rightly are binomial in each set.
    Exact where all sets have one size; else by drawing, and where no draw is as extreme, by the
    normal tail. ValueError as for ``mcnemar`` and for an empty set.
    """
    gained, lost = _discordant(one, other)
    sizes = np.array([np.size(array) for array in one])
    if len(sizes) == 0 or (sizes == 0).any():
        raise ValueError("a mean needs at least one set, and examples in every set")
    count = gained + lost
    seen = abs(((gained - lost) / sizes).sum())
    if len(set(sizes)) == 1:
        total = int(count.sum())
        return float(binomtest(int(gained.sum()), total, 0.5).pvalue) if total else 1.0
    heads = np.random.default_rng(seed).binomial(count, 0.5, (draws, len(sizes)))
    extreme = np.count_nonzero(
        abs(((2 * heads - count) / sizes).sum(axis=1)) >= seen - 1e-12
    )
    if extreme:
        return float((1 + extreme) / (draws + 1))
    tail = 2 * norm.sf(seen / np.sqrt((count / sizes**2).sum()))
    return float(min(tail, 1 / (draws + 1)))


def _discordant(one: Sequence, other: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """Per set, how many examples only ``one`` has right, and how many only ``other``."""
    shapes = [np.shape(array) for array in one], [np.shape(array) for array in other]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"the same examples are needed, got {shapes[0]} and {shapes[1]}"
        )
    both = [
        (np.asarray(a, dtype=bool), np.asarray(b, dtype=bool))
        for a, b in zip(one, other)
    ]
    gained = np.array([np.count_nonzero(a & ~b) for a, b in both], dtype=int)
    return gained, np.array([np.count_nonzero(b & ~a) for a, b in both], dtype=int)


def corrected(p: Sequence[float]) -> np.ndarray:
    """p-values [tests] corrected for their number (Holm 1979); [] for none."""
    p = np.asarray(p, dtype=float)
    return multipletests(p, method="holm")[1] if len(p) else p
