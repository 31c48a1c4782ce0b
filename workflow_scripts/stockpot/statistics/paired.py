"""Differences of models that answered the same examples: intervals, tests, many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm
from statsmodels.stats.multitest import multipletests

from .intervals import tail_quantiles

# Rounding may make two equal differences of means differ by this much.
ROUNDING = 1e-12


@dataclass(frozen=True)
class PairedEstimate:
    """A combination of accuracies and its interval.

    Attributes:
        value: The estimate, a fraction.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    value: float
    low: float
    high: float


def paired_mean(
    terms: Sequence[tuple[float, Sequence[np.ndarray]]],
    confidence: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> PairedEstimate:
    """Estimate sum(coefficient * accuracy), averaged over sets, with an interval.

    The interval is a percentile bootstrap that resamples the examples within each set. An
    example adds to the sum one of few values (at most 2 to the number of models). How often
    each value is drawn is multinomial, so that no example has to be drawn by itself.

    Args:
        terms: Per model its coefficient, and one bool array per set: True where the model is
            right. All models answer the same examples in the same order. [(1, a), (-1, b)]
            is the difference of a and b.
        confidence: Of the interval.
        draws: How many means to draw.
        seed: Of the draws.

    Returns:
        The unweighted mean over the sets, a fraction, and its interval.

    Raises:
        ValueError: If the sets of the models do not match, or a set is empty.
    """
    coefficients = [coefficient for coefficient, _ in terms]
    correct_by_model = [sets for _, sets in terms]
    set_counts = [len(sets) for sets in correct_by_model]
    has_same_sets = len(set(set_counts)) == 1
    if not has_same_sets or set_counts[0] == 0:
        raise ValueError(f"need the same sets for every model, got {set_counts}")
    set_count = set_counts[0]
    quantiles = tail_quantiles(confidence)
    rng = np.random.default_rng(seed)
    value = 0.0
    resampled = np.zeros(draws)
    for index, set_correct in enumerate(zip(*correct_by_model)):
        n = _common_size(index, set_correct)
        weighted_answers = []
        for coefficient, correct in zip(coefficients, set_correct):
            is_correct = np.asarray(correct, dtype=bool)
            weighted_answers.append(coefficient * is_correct)
        # What an example adds: the coefficients of the models that have it right.
        summands = np.zeros(n)
        for weighted_answer in weighted_answers:
            summands = summands + weighted_answer
        values, counts = np.unique(summands, return_counts=True)
        set_mean = float(counts @ values / n)
        value += set_mean / set_count
        # [draws, values]: how often each value is drawn.
        probabilities = counts / n
        drawn_counts = rng.multinomial(n, probabilities, draws)
        drawn_means = drawn_counts @ values / n
        resampled += drawn_means / set_count
    low, high = np.quantile(resampled, quantiles)
    return PairedEstimate(
        value=float(value),
        low=float(low),
        high=float(high),
    )


def _common_size(
    index: int,
    set_correct: Sequence[np.ndarray],
) -> int:
    """The number of examples of a set, which must be that of all models and not 0."""
    shapes = [np.shape(correct) for correct in set_correct]
    has_same_shapes = len(set(shapes)) == 1
    first_correct = set_correct[0]
    n = np.size(first_correct)
    if not has_same_shapes or n == 0:
        raise ValueError(f"set {index}: shapes {shapes}")
    return n


def mcnemar(
    first_correct: ArrayLike,
    second_correct: ArrayLike,
) -> float:
    """Test whether two models are right equally often (exact McNemar test).

    Only those examples count that exactly one model has right. Under the hypothesis each of
    them is a fair coin (Model soups, section 3.3.2).

    Args:
        first_correct: Bool [n], of the first model.
        second_correct: Bool [n], of the second model on the same examples.

    Returns:
        The two-sided p; 1 where no such example exists.

    Raises:
        ValueError: If the shapes differ.
    """
    only_first, only_second = _discordant([first_correct], [second_correct])
    # There is one set, so the counts have one entry.
    heads = only_first[0]
    throws = only_first[0] + only_second[0]
    return _fair_coin_p(heads, throws)


def _fair_coin_p(heads: int, throws: int) -> float:
    """Two-sided p of a fair coin; 1 without a throw."""
    if throws == 0:
        return 1.0
    test = binomtest(heads, throws, 0.5)
    return float(test.pvalue)


def permutation(
    first_correct: Sequence[ArrayLike],
    second_correct: Sequence[ArrayLike],
    draws: int = 100_000,
    seed: int = 0,
) -> float:
    """Test whether two models have the same mean accuracy over several sets.

    Under the hypothesis the two answers to an example can be exchanged. Of the examples that
    exactly one model has right, those of the first model are then binomial in each set.

    Args:
        first_correct: A bool array per set, of the first model.
        second_correct: A bool array per set, of the second model on the same examples.
        draws: How many exchanges to draw where the sets differ in size.
        seed: Of the draws.

    Returns:
        The two-sided p. It is exact where all sets have one size, else by drawing. Where no
        draw is as extreme, it is the normal tail, and at most 1 / (draws + 1).

    Raises:
        ValueError: If shapes differ, there is no set, or a set is empty.
    """
    only_first, only_second = _discordant(first_correct, second_correct)
    sizes = np.array([np.size(correct) for correct in first_correct])
    has_empty_set = (sizes == 0).any()
    if len(sizes) == 0 or has_empty_set:
        raise ValueError("a mean needs at least one set, and examples in every set")
    discordant = only_first + only_second
    if len(set(sizes)) == 1:
        # The mean is then proportional to the total, which is binomial.
        heads = int(only_first.sum())
        throws = int(discordant.sum())
        return _fair_coin_p(heads, throws)
    # The difference of the means, times the number of sets.
    set_differences = (only_first - only_second) / sizes
    observed = abs(set_differences.sum())
    rng = np.random.default_rng(seed)
    # Under the hypothesis, the first model has half of the discordant examples right.
    shape = (draws, len(sizes))
    drawn_first = rng.binomial(discordant, 0.5, shape)
    # (first - second) / size, with first + second = discordant.
    drawn_differences = (2 * drawn_first - discordant) / sizes
    differences = drawn_differences.sum(axis=1)
    least_extreme = observed - ROUNDING
    is_extreme = abs(differences) >= least_extreme
    extreme_count = np.count_nonzero(is_extreme)
    if extreme_count:
        p = (1 + extreme_count) / (draws + 1)
        return float(p)
    # Under the hypothesis the difference has the variance sum(discordant / size^2).
    set_variances = discordant / sizes**2
    deviation = np.sqrt(set_variances.sum())
    z = observed / deviation
    normal_tail = 2 * norm.sf(z)
    most = 1 / (draws + 1)
    return float(min(normal_tail, most))


def _discordant(
    first_correct: Sequence[ArrayLike],
    second_correct: Sequence[ArrayLike],
) -> tuple[np.ndarray, np.ndarray]:
    """How many examples of each set only the first has right, and how many only the second."""
    first_shapes = [np.shape(correct) for correct in first_correct]
    second_shapes = [np.shape(correct) for correct in second_correct]
    if first_shapes != second_shapes:
        raise ValueError(
            f"the same examples are needed, got {first_shapes} and {second_shapes}"
        )
    only_first = []
    only_second = []
    for first, second in zip(first_correct, second_correct):
        first = np.asarray(first, dtype=bool)
        second = np.asarray(second, dtype=bool)
        is_only_first = first & ~second
        is_only_second = second & ~first
        only_first.append(np.count_nonzero(is_only_first))
        only_second.append(np.count_nonzero(is_only_second))
    first_counts = np.array(only_first, dtype=int)
    second_counts = np.array(only_second, dtype=int)
    return first_counts, second_counts


def holm_corrected(p_values: Sequence[float]) -> np.ndarray:
    """Correct p-values for their number (Holm 1979).

    Args:
        p_values: One per test.

    Returns:
        Float64 [tests]; empty for no test.
    """
    uncorrected = np.asarray(p_values, dtype=float)
    if len(uncorrected) == 0:
        return uncorrected
    # The second of the four results has the corrected values.
    results = multipletests(uncorrected, method="holm")
    return results[1]
