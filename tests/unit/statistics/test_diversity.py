"""Diversity of two models against direct computation on small cases."""

import numpy as np
import pytest
import torch
from sklearn.metrics import cohen_kappa_score

from stockpot.statistics import diversity
from tests.support.two_logits import GENERATOR, TWO_LOGITS

TWO_ANSWERS = [logits.argmax(1) for logits in TWO_LOGITS]


def test_prediction_diversity_counts_examples_that_one_has_right():
    assert diversity.prediction_diversity([1, 1, 0, 0], [1, 0, 1, 0]) == 0.5
    assert diversity.prediction_diversity([True], [True]) == 0


def test_kappa_is_that_of_sklearn_and_defined_at_the_ends():
    expected = 1 - cohen_kappa_score(*TWO_ANSWERS)
    assert diversity.kappa_complement(*TWO_ANSWERS) == pytest.approx(expected)
    assert diversity.kappa_complement([2, 2, 2], [2, 2, 2]) == 0
    assert diversity.kappa_complement([0, 0], [1, 1]) == 1
    assert diversity.kappa_complement([3], [3]) == 0


def test_divergence_is_that_of_torch():
    p, q = (torch.tensor(logits).log_softmax(1) for logits in TWO_LOGITS)
    expected = torch.nn.functional.kl_div(q, p, reduction="batchmean", log_target=True)
    assert diversity.divergence(*TWO_LOGITS) == pytest.approx(float(expected))
    assert diversity.divergence(TWO_LOGITS[0], TWO_LOGITS[0] + 3) == pytest.approx(
        0, abs=1e-12
    )


def test_cka_is_the_alignment_of_centred_kernels():
    n = len(TWO_LOGITS[0])
    centre = np.eye(n) - 1 / n
    k, m = (centre @ x @ x.T @ centre for x in TWO_LOGITS)
    expected = 1 - (k * m).sum() / np.sqrt((k * k).sum() * (m * m).sum())
    assert diversity.cka_complement(*TWO_LOGITS) == pytest.approx(expected)
    turned = TWO_LOGITS[0] @ np.linalg.qr(GENERATOR.normal(size=(5, 5)))[0] * 7 + 1
    assert diversity.cka_complement(TWO_LOGITS[0], turned) == pytest.approx(
        0, abs=1e-12
    )


def test_cka_of_a_sample_is_near_that_of_all_and_repeats():
    x = GENERATOR.normal(size=(4000, 4))
    y = x @ GENERATOR.normal(size=(4, 4)) + GENERATOR.normal(size=(4000, 4))
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
