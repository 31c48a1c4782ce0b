"""Tests of differences against statsmodels and enumeration, and their correction."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar as oracle
from statsmodels.stats.multitest import multipletests

from stockpot.statistics.paired import holm_corrected, mcnemar, permutation
from tests.support.random_answers import random_answers

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("n", "shares"), [(1, (0.5, 0.5)), (30, (0.6, 0.7)), (2000, (0.9, 0.91))]
)
def test_mcnemar_is_that_of_statsmodels(n, shares):
    for seed in range(5):
        a, b = (
            random_answers(n, shares[0], seed),
            random_answers(n, shares[1], seed + 100),
        )
        table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
        # 0.15 gives NaN for no discordant pair; there the two are equally good.
        expected = oracle(table, exact=True).pvalue if (a != b).any() else 1.0
        assert mcnemar(a, b) == pytest.approx(expected, abs=1e-12)


def test_mcnemar_at_the_ends():
    right, wrong = np.ones(10, bool), np.zeros(10, bool)
    assert mcnemar(right, right) == 1
    assert mcnemar([], []) == 1
    assert mcnemar(right, wrong) == pytest.approx(2 * 0.5**10)
    assert mcnemar([True], [False]) == 1
    with pytest.raises(ValueError, match="the same examples"):
        mcnemar(right, right[:5])


def test_permutation_is_the_enumeration_of_exchanges():
    one = [np.array([1, 1, 1, 0, 1], bool), np.array([1, 1, 0], bool)]
    other = [np.array([0, 0, 1, 0, 0], bool), np.array([0, 1, 1], bool)]
    signs = [a.astype(int) - b for a, b in zip(one, other)]
    sizes = np.concatenate([np.full(len(s), len(s)) for s in signs])
    d = np.concatenate(signs)
    seen = abs((d / sizes).sum())
    drawn = [
        abs((np.array(s) * d / sizes).sum()) for s in product([1, -1], repeat=len(d))
    ]
    exact = np.mean(np.array(drawn) >= seen - 1e-12)
    assert permutation(one, other) == pytest.approx(exact, abs=0.005)


def test_permutation_of_sets_of_one_size_is_exact_and_any_other_repeats():
    a, b = random_answers(300, 0.7, 1), random_answers(300, 0.8, 2)
    assert permutation([a], [b]) == mcnemar(a, b)
    assert permutation([a, b], [b, a]) == 1
    assert permutation([a], [a]) == 1
    unequal = [a, a[:100]], [b, b[:100]]
    assert permutation(*unequal) == permutation(*unequal)
    with pytest.raises(ValueError, match="at least one set"):
        permutation([], [])


def test_a_difference_beyond_every_draw_has_the_normal_tail():
    one, other = (
        [np.ones(400, bool), np.ones(300, bool)],
        [np.zeros(400, bool), np.zeros(300, bool)],
    )
    p = permutation(one, other, draws=1000)
    z = 2 / np.sqrt(1 / 400 + 1 / 300)
    assert p == pytest.approx(2 * norm.sf(z))
    assert 0 < p < 1e-100


def test_few_false_alarms_when_nothing_differs():
    p = [
        permutation(
            [random_answers(200, 0.8, 2 * i)],
            [random_answers(200, 0.8, 2 * i + 1)],
            2000,
        )
        for i in range(200)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.1


def test_correction_is_holms():
    p = [0.001, 0.04, 0.03, 0.5]
    assert holm_corrected(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm_corrected(p).tolist() == pytest.approx([0.004, 0.09, 0.09, 0.5])
    assert len(holm_corrected([])) == 0
