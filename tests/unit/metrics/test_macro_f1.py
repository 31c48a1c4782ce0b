"""Macro F1 against scikit-learn."""

import numpy as np
import pytest

from stockpot import metrics
from stockpot.metrics import score
from tests.support.metric_inputs import f1_of_sklearn, metric_input

AWKWARD_ANSWERS = {
    "never predicted": ([0, 0, 1, 2], [0, 0, 0, 2]),
    "predicted but absent": ([0, 0, 1], [0, 2, 1]),
    "absent, and all wrong": ([0, 0], [1, 1]),
    "one class": ([3, 3, 3], [3, 3, 3]),
    "one example": ([2], [2]),
    "one wrong example": ([2], [0]),
    "a gap in the classes": ([0, 9, 9], [9, 9, 0]),
}


@pytest.mark.parametrize("case", AWKWARD_ANSWERS)
def test_macro_f1_of_awkward_cases_is_sklearns(case):
    given = metric_input(*AWKWARD_ANSWERS[case])
    assert score("macro-f1", given).value == pytest.approx(f1_of_sklearn(given))


@pytest.mark.parametrize("seed", range(5))
def test_macro_f1_of_random_answers_is_sklearns(seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice(12, 200, p=rng.dirichlet(np.ones(12) / 2))
    given = metric_input(
        labels, np.where(rng.random(200) < 0.5, labels, rng.integers(0, 15, 200))
    )
    found = score("macro-f1", given)
    assert found.value == pytest.approx(f1_of_sklearn(given), abs=1e-12)
    assert found.n == 200
    assert found.k is None, "nothing is counted"


def test_macro_f1_by_hand():
    """Class 0: 2 right, 3 labelled, 2 said; class 1: 1, 1, 2. Class 2 is said and has no label."""
    given = metric_input([0, 0, 0, 1], [0, 0, 1, 1])
    assert score("macro-f1", given).value == pytest.approx((4 / 5 + 2 / 3) / 2)
    given = metric_input([0, 0, 0, 1], [0, 0, 2, 1])
    assert score("macro-f1", given).value == pytest.approx((4 / 5 + 1) / 2)


@pytest.mark.slow
def test_macro_f1_resampled_is_the_bootstrap_of_examples():
    rng = np.random.default_rng(0)
    labels = rng.choice(6, 120, p=[0.4, 0.3, 0.2, 0.05, 0.03, 0.02])
    given = metric_input(
        labels, np.where(rng.random(120) < 0.6, labels, rng.integers(0, 7, 120))
    )
    draws = []
    for _ in range(2000):
        rows = rng.integers(0, 120, 120)
        draws.append(
            score("macro-f1", metric_input(labels[rows], given.predicted[rows])).value
        )
    found = metrics.resampled("macro-f1", given, 4000)
    assert found.shape == (4000,)
    assert found.dtype == np.float64
    assert found.mean() == pytest.approx(np.mean(draws), abs=0.006)
    assert found.std() == pytest.approx(np.std(draws), rel=0.08)
    assert np.allclose(
        np.quantile(found, [0.05, 0.95]), np.quantile(draws, [0.05, 0.95]), atol=0.02
    )
    assert np.array_equal(found, metrics.resampled("macro-f1", given, 4000)), (
        "it repeats"
    )


@pytest.mark.parametrize(("predicted", "value"), [([1, 1, 4], 1), ([0, 0, 0], 0)])
def test_macro_f1_resampled_at_the_ends_has_no_width(predicted, value):
    assert (
        metrics.resampled("macro-f1", metric_input([1, 1, 4], predicted), 50) == value
    ).all()
