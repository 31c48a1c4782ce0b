"""The soup-ensemble formula against direct computation on small cases."""

import numpy as np
import pytest
from scipy.special import softmax

from stockpot.statistics.approximation import soup_minus_ensemble, variance
from stockpot.statistics.calibration import nll
from tests.support.two_logits import GENERATOR, TWO_LOGITS


def test_variance_is_that_of_the_change_under_the_probabilities():
    f, change = TWO_LOGITS
    expected = []
    for scores, delta in zip(f, change):
        p = softmax(0.7 * scores)
        expected.append((p * delta**2).sum() - (p * delta).sum() ** 2)
    assert variance(f, change, 0.7) == pytest.approx(np.mean(expected))


def test_the_formula_is_exact_for_a_model_linear_in_its_weights():
    """Then soup and ensemble are one, and the two terms cancel as the step shrinks."""
    start, end = TWO_LOGITS
    labels = GENERATOR.integers(0, 5, len(start))
    along = [(1 - a) * start + a * end for a in (0.49, 0.5, 0.51)]
    found = soup_minus_ensemble(start, end, along, labels, step=0.01)
    assert found["true"] == pytest.approx(0, abs=1e-12)
    assert found["approximation"] == pytest.approx(0, abs=1e-3 * found["variance"])
    assert found["curvature"] == pytest.approx(found["variance"], rel=1e-3)


def test_the_approximation_nears_the_truth_as_the_ends_near_each_other():
    """A small network that is not linear in its weights; both shrink with the square."""
    rng = np.random.default_rng(5)
    x, labels = rng.normal(size=(300, 6)), rng.integers(0, 4, 300)
    first, second = rng.normal(size=(6, 8)), rng.normal(size=(8, 4))
    d1, d2 = rng.normal(size=(6, 8)), rng.normal(size=(8, 4))

    def f(a, size):
        return np.tanh(x @ (first + a * size * d1)) @ (second + a * size * d2)

    errors, truths = [], []
    for size in (0.2, 0.1, 0.05):
        along = [f(a, size) for a in (0.48, 0.5, 0.52)]
        found = soup_minus_ensemble(
            f(0, size), f(1, size), along, labels, step=0.02, beta=0.8
        )
        ends = 0.8 * (f(0, size) + f(1, size)) / 2
        assert found["true"] == pytest.approx(
            nll(0.8 * f(0.5, size), labels) - nll(ends, labels)
        )
        errors.append(abs(found["approximation"] - found["true"]))
        truths.append(abs(found["true"]))
    assert errors[2] < 0.15 * truths[2]
    assert errors[2] / truths[2] < errors[0] / truths[0]
