"""Diversity and the soup-ensemble formula against direct computation on small cases."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import cohen_kappa_score

from stockpot.statistics import diversity
from stockpot.statistics.approximation import soup_minus_ensemble, variance
from stockpot.statistics.calibration import nll

RNG = np.random.default_rng(0)
LOGITS = [RNG.normal(size=(60, 5)) * 2 for _ in range(2)]
PREDICTED = [logits.argmax(1) for logits in LOGITS]


def test_prediction_diversity_counts_examples_that_one_has_right():
    assert diversity.prediction_diversity([1, 1, 0, 0], [1, 0, 1, 0]) == 0.5
    assert diversity.prediction_diversity([True], [True]) == 0


def test_kappa_is_that_of_sklearn_and_defined_at_the_ends():
    expected = 1 - cohen_kappa_score(*PREDICTED)
    assert diversity.kappa_complement(*PREDICTED) == pytest.approx(expected)
    assert diversity.kappa_complement([2, 2, 2], [2, 2, 2]) == 0
    assert diversity.kappa_complement([0, 0], [1, 1]) == 1
    assert diversity.kappa_complement([3], [3]) == 0


def test_divergence_is_that_of_torch():
    p, q = (torch.tensor(logits).log_softmax(1) for logits in LOGITS)
    expected = torch.nn.functional.kl_div(q, p, reduction="batchmean", log_target=True)
    assert diversity.divergence(*LOGITS) == pytest.approx(float(expected))
    assert diversity.divergence(LOGITS[0], LOGITS[0] + 3) == pytest.approx(0, abs=1e-12)


def test_cka_is_the_alignment_of_centred_kernels():
    n = len(LOGITS[0])
    centre = np.eye(n) - 1 / n
    k, m = (centre @ x @ x.T @ centre for x in LOGITS)
    expected = 1 - (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert diversity.cka_complement(*LOGITS) == pytest.approx(expected)
    turned = LOGITS[0] @ np.linalg.qr(RNG.normal(size=(5, 5)))[0] * 7 + 1
    assert diversity.cka_complement(LOGITS[0], turned) == pytest.approx(0, abs=1e-12)


def test_cka_of_a_sample_is_near_that_of_all_and_repeats():
    x = RNG.normal(size=(4000, 4))
    y = x @ RNG.normal(size=(4, 4)) + RNG.normal(size=(4000, 4))
    whole, part = (
        diversity.cka_complement(x, y),
        diversity.cka_complement(x, y, most=1000),
    )
    assert part == pytest.approx(whole, abs=0.05)
    assert part != whole
    assert part == diversity.cka_complement(x, y, most=1000)


def test_nothing_to_compare_is_not_a_number():
    empty = np.zeros((0, 3))
    assert np.isnan(diversity.prediction_diversity([], []))
    assert np.isnan(diversity.kappa_complement([], []))
    assert np.isnan(diversity.divergence(empty, empty))
    assert np.isnan(diversity.cka_complement(np.ones((4, 3)), np.ones((4, 3))))


def test_variance_is_that_of_the_change_under_the_probabilities():
    f, change = LOGITS
    expected = []
    for scores, delta in zip(f, change):
        p = softmax(0.7 * scores)
        expected.append((p * delta**2).sum() - (p * delta).sum() ** 2)
    assert variance(f, change, 0.7) == pytest.approx(np.mean(expected))


def test_the_formula_is_exact_for_a_model_linear_in_its_weights():
    """Then soup and ensemble are one, and the two terms cancel as the step shrinks."""
    start, end = LOGITS
    labels = RNG.integers(0, 5, len(start))
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
