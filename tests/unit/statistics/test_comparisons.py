"""Comparisons of models, and which are as good as the best."""

import numpy as np
import pandas as pd
import pytest

from stockpot.statistics.comparisons import as_good_as_the_best, comparisons
from stockpot.statistics.paired import holm_corrected, mcnemar
from tests.support.random_answers import random_answers

pytestmark = pytest.mark.slow


def test_comparisons_have_the_paired_difference_its_interval_and_both_ps():
    right = {
        ("a", "x"): random_answers(400, 0.9, 1),
        ("a", "y"): random_answers(300, 0.6, 2),
        ("b", "x"): random_answers(400, 0.8, 3),
        ("b", "y"): random_answers(300, 0.6, 4),
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
        "best": random_answers(3000, 0.9, 1),
        "near": random_answers(3000, 0.9, 1).copy(),
        "far": random_answers(3000, 0.7, 5),
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
        right = {f"m{i}": random_answers(400, 0.8, 100 * seed + i) for i in range(6)}
        values = pd.Series({name: array.mean() for name, array in right.items()})
        _, good = as_good_as_the_best(values, lambda m, right=right: [right[m]], 0.95)
        lost += len(good) < 6
    assert lost / 120 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 120)
