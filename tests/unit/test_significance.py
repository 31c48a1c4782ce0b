"""Tests of differences against statsmodels and enumeration, and their correction."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar as oracle
from statsmodels.stats.multitest import multipletests

from stockpot.statistics.comparisons import as_good_as_the_best, comparisons
from stockpot.statistics.paired import holm_corrected, mcnemar, permutation

pytestmark = pytest.mark.slow


def answers(n, share, seed):
    return np.random.default_rng(seed).random(n) < share


@pytest.mark.parametrize(
    ("n", "shares"), [(1, (0.5, 0.5)), (30, (0.6, 0.7)), (2000, (0.9, 0.91))]
)
def test_mcnemar_is_that_of_statsmodels(n, shares):
    for seed in range(5):
        a, b = answers(n, shares[0], seed), answers(n, shares[1], seed + 100)
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
    a, b = answers(300, 0.7, 1), answers(300, 0.8, 2)
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
        permutation([answers(200, 0.8, 2 * i)], [answers(200, 0.8, 2 * i + 1)], 2000)
        for i in range(200)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.1


def test_correction_is_holms():
    p = [0.001, 0.04, 0.03, 0.5]
    assert holm_corrected(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm_corrected(p).tolist() == pytest.approx([0.004, 0.09, 0.09, 0.5])
    assert len(holm_corrected([])) == 0


def test_comparisons_have_the_paired_difference_its_interval_and_both_ps():
    right = {
        ("a", "x"): answers(400, 0.9, 1),
        ("a", "y"): answers(300, 0.6, 2),
        ("b", "x"): answers(400, 0.8, 3),
        ("b", "y"): answers(300, 0.6, 4),
    }
    sets = {"x": ["x"], "mean": ["x", "y"]}
    table = comparisons([("a", "b")], sets, lambda m, d: right[m, d], 0.95)
    d = right["a", "x"].mean() - right["b", "x"].mean()
    e = right["a", "y"].mean() - right["b", "y"].mean()
    assert table["difference"].tolist() == pytest.approx([d, (d + e) / 2])
    assert (
        (table["low"] <= table["difference"]) & (table["difference"] <= table["high"])
    ).all()
    assert table["test"].tolist() == ["exact McNemar", "permutation"]
    assert table["p"][0] == mcnemar(right["a", "x"], right["b", "x"])
    assert table["p_corrected"].tolist() == pytest.approx(holm_corrected(table["p"]))
    assert table["n"].tolist() == [400, 700]


def test_bold_are_the_best_and_what_is_not_worse():
    right = {
        "best": answers(3000, 0.9, 1),
        "near": answers(3000, 0.9, 1).copy(),
        "far": answers(3000, 0.7, 5),
    }
    right["near"][np.flatnonzero(right["near"])[:3]] = False
    values = pd.Series({name: array.mean() for name, array in right.items()})
    best, good = as_good_as_the_best(values, lambda m: [right[m]], 0.95)
    assert best == "best"
    assert good == {"best", "near"}
    assert as_good_as_the_best(values[["far"]], lambda m: [right[m]], 0.95) == (
        "far",
        {"far"},
    )


def test_models_that_are_equally_good_rarely_lose_their_bold():
    """The best is picked from the same answers, so a correction for its tests alone is too weak."""
    lost = 0
    for seed in range(120):
        right = {f"m{i}": answers(400, 0.8, 100 * seed + i) for i in range(6)}
        values = pd.Series({name: array.mean() for name, array in right.items()})
        _, good = as_good_as_the_best(values, lambda m, right=right: [right[m]], 0.95)
        lost += len(good) < 6
    assert lost / 120 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 120)
