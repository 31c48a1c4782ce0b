"""Estimates of accuracy from unlabelled images."""

import numpy as np
import pytest
from scipy.stats import norm

from stockpot.statistics.estimates import (
    agreement_on_the_line,
    mean_entropy,
    thresholded,
)


def test_thresholded_confidence_by_hand():
    confidence, correct = [0.9, 0.8, 0.7, 0.6], [True, True, False, True]
    # A quarter is wrong, so the threshold is the lowest confidence, 0.6.
    assert thresholded(confidence, correct, [0.61, 0.5, 0.99, 0.6]) == 0.5
    assert thresholded(confidence, [True] * 4, [0.1, 0.2]) == 1
    assert thresholded(confidence, [False] * 4, [0.95, 0.2]) == 0.5
    assert thresholded(confidence, correct, confidence) == 0.75, (
        "on its own data, the accuracy"
    )
    sure = np.ones(100)
    assert thresholded(sure, np.arange(100) >= 3, sure) == pytest.approx(0.97), (
        "all are tied"
    )


def test_thresholded_confidence_finds_the_accuracy_of_calibrated_models():
    rng = np.random.default_rng(0)
    known, unknown = rng.beta(8, 2, 20_000), rng.beta(4, 2, 20_000)
    correct = rng.random(20_000) < known
    assert thresholded(known, correct, unknown) == pytest.approx(
        np.mean(unknown > np.quantile(known, 1 - correct.mean())), abs=1e-3
    )


def test_entropy_of_certain_and_of_even_predictions():
    assert mean_entropy([[100.0, 0, 0, 0]]) == pytest.approx(0, abs=1e-9)
    assert mean_entropy([[1.0, 1, 1, 1], [0.0, 0, 0, 0]]) == pytest.approx(np.log(4))


def test_agreement_on_the_line_finds_accuracies_it_never_sees():
    """Models whose answers are right or one wrong class: agreement is a function of accuracy."""
    rng = np.random.default_rng(1)
    n, inner = 40_000, np.linspace(0.75, 0.95, 6)
    outer = norm.cdf(0.8 * norm.ppf(inner) - 0.5)

    def predicted(accuracy):
        return np.array(
            [np.where(rng.random(n) < a, 0, rng.integers(1, 3, n)) for a in accuracy]
        )

    known = predicted(inner)
    found = agreement_on_the_line((known == 0).mean(axis=1), known, predicted(outer))
    assert found == pytest.approx(outer, abs=0.08)
    assert (np.diff(found) > 0).all()
    assert abs(found - outer).max() < abs(inner - outer).min() / 2
    assert np.isnan(agreement_on_the_line([0.5, 0.6], known[:2], known[:2])).all()
    same = np.zeros((4, 10), int)
    assert np.isnan(agreement_on_the_line([1.0] * 4, same, same)).all()
