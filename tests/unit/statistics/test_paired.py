"""Means of paired differences and their intervals."""

import numpy as np
import pytest

from stockpot.statistics.intervals import clopper_pearson
from stockpot.statistics.paired import paired_mean


@pytest.mark.slow
@pytest.mark.parametrize("coefficients", [(1, -1), (1, -0.7, -0.3), (2, 0.5, -1)])
def test_a_paired_mean_is_the_bootstrap_of_examples(coefficients):
    """Of models that agree a lot; (1, -0.7, -0.3) is the distance from a chord."""
    rng = np.random.default_rng(0)
    models = [[] for _ in coefficients]
    for n, p in ((60, 0.7), (90, 0.5)):
        first = rng.random(n) < p
        for i, model in enumerate(models):
            model.append(
                np.where(rng.random(n) < 0.6, first, rng.random(n) < p - 0.1 * i)
            )

    def combined(rows):
        means = [
            np.mean([x[i].mean() for x, i in zip(model, rows)]) for model in models
        ]
        return np.dot(coefficients, means)

    sizes = [len(x) for x in models[0]]
    draws = [combined([rng.integers(0, n, n) for n in sizes]) for _ in range(10_000)]
    found = paired_mean(list(zip(coefficients, models)), 0.9)
    assert found.value == pytest.approx(combined([np.arange(n) for n in sizes]))
    assert np.allclose(
        (found.low, found.high), np.quantile(draws, [0.05, 0.95]), atol=0.006
    )


def test_a_paired_difference_is_sharper_than_two_intervals_and_zero_with_itself():
    right = np.random.default_rng(1).random(500) < 0.6
    better = right | (np.arange(500) < 25)
    found = paired_mean([(1, [better]), (-1, [right])])
    low, high = clopper_pearson(right.sum(), 500)
    assert 0 < found.low
    assert found.high - found.low < (high - low) / 2
    same = paired_mean([(1, [right]), (-1, [right])])
    assert (same.value, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("a", "b", "problem"),
    [
        ([], [], r"^need the same sets for every model, got \[0, 0\]$"),
        ([[1]], [], r"^need the same sets for every model, got \[1, 0\]$"),
        ([[1, 0]], [[1]], r"^set 0: shapes \[\(2,\), \(1,\)\]$"),
        ([[]], [[]], r"^set 0: shapes \[\(0,\), \(0,\)\]$"),
    ],
)
def test_paired_sets_must_match(a, b, problem):
    with pytest.raises(ValueError, match=problem):
        paired_mean([(1, a), (-1, b)])
