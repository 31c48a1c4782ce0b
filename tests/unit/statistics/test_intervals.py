"""Intervals of counts and of means."""

import numpy as np
import pytest
from scipy.stats import binomtest

from stockpot.statistics.intervals import clopper_pearson, mean_interval


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.995])
@pytest.mark.parametrize(
    ("k", "n"), [(0, 10), (10, 10), (1, 10), (3, 7), (480, 500), (40193, 50000)]
)
def test_clopper_pearson_is_scipys_exact_interval(k, n, confidence):
    expected = binomtest(k, n).proportion_ci(confidence, method="exact")
    assert np.allclose(
        clopper_pearson(k, n, confidence), (expected.low, expected.high), atol=1e-9
    )


def test_clopper_pearson_of_the_released_soups():
    """Correct of ImageNet's 50,000: best single, greedy, uniform, ensemble; in percent."""
    low, high = clopper_pearson([40193, 40513, 39986, 40594], 50_000)
    assert np.round(100 * low, 3).tolist() == [80.035, 80.680, 79.618, 80.843]
    assert np.round(100 * high, 3).tolist() == [80.733, 81.369, 80.322, 81.530]


def test_clopper_pearson_without_examples_and_shapes():
    low, high = clopper_pearson([[0, 0], [0, 5]], [0, 5])
    assert low.tolist()[0] == [0, 0]
    assert high[1].tolist() == [1, 1]
    assert low.shape == (2, 2)
    assert [float(x) for x in clopper_pearson(0, 0)] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("k", "n"), [(3, 2), (-1, 2), (0, -1), (np.nan, 2), (1, np.inf)]
)
def test_impossible_counts_are_refused(k, n):
    for function in (clopper_pearson, mean_interval):
        with pytest.raises(ValueError, match="counts must be finite"):
            function(k, n)


def test_confidence_must_be_a_fraction():
    with pytest.raises(ValueError, match="got 95"):
        clopper_pearson(1, 2, 95)


def test_mean_interval_covers_the_truth():
    rng = np.random.default_rng(3)
    n, p = np.array([400, 100, 250]), np.array([0.8, 0.5, 0.3])
    covered = 0
    for seed in range(400):
        low, high = mean_interval(rng.binomial(n, p), n, 0.9, draws=500, seed=seed)
        covered += low <= p.mean() <= high
    assert 0.86 <= covered / 400 <= 0.94


@pytest.mark.slow
def test_mean_interval_is_the_bootstrap_of_the_outcomes():
    rng = np.random.default_rng(0)
    sets = [np.arange(n) < k for k, n in ((30, 40), (10, 60))]
    means = [
        np.mean([rng.choice(s, len(s)).mean() for s in sets]) for _ in range(20_000)
    ]
    low, high = mean_interval([30, 10], [40, 60], 0.9)
    assert np.allclose((low, high), np.quantile(means, [0.05, 0.95]), atol=0.006)


def test_mean_interval_repeats_and_needs_examples():
    assert mean_interval([3, 5], [9, 9]) == mean_interval([3, 5], [9, 9])
    assert mean_interval([0, 9], [9, 9]) == (0.5, 0.5)
    with pytest.raises(ValueError, match="examples in every set"):
        mean_interval([0, 1], [0, 5])
