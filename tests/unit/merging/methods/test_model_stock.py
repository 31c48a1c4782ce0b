"""Model Stock is its formula, on random models and in numbers."""

import itertools

import pytest
import torch

from stockpot.merging.methods.model_stock import ratio
from tests.support.merge_methods import SHAPES, recipe_and_tensors, updates_of


@pytest.mark.parametrize("granularity", ["tensor", "block", "model"])
def test_model_stock_is_its_formula(random_models, granularity):
    """T = N cos / (1 + (N - 1) cos), with the mean cosine of all pairs of updates."""
    _, found = recipe_and_tensors(random_models, "model-stock", granularity=granularity)
    groups = {"model": [list(SHAPES)]}.get(granularity, [[name] for name in SHAPES])
    for group in groups:
        flat = [
            torch.cat([u[n].reshape(-1) for n in group])
            for u in updates_of(random_models)
        ]
        pairs = [
            float(torch.dot(a, b) / (a.norm() * b.norm()))
            for a, b in itertools.combinations(flat, 2)
        ]
        mean_cosine = max(sum(pairs) / len(pairs), 0)
        t = 4 * mean_cosine / (1 + 3 * mean_cosine)
        for name in group:
            mean = sum(random_models[f"sha-{n}"][name] for n in "abcd") / 4
            expected = t * mean + (1 - t) * random_models["start"][name]
            assert torch.allclose(found[name], expected, rtol=0, atol=1e-9)


def test_model_stock_in_numbers():
    """Two runs at 60 degrees keep two thirds; equal ones all, orthogonal ones nothing."""
    assert ratio(0.5, 2) == pytest.approx(2 / 3)
    assert ratio(1.0, 5) == 1.0
    assert ratio(0.0, 5) == 0.0
    assert ratio(-0.2, 5) == 0.0
