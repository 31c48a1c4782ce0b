"""DARE: what it drops, and the mean that it keeps."""

import pytest
import torch

from tests.support.merge_methods import (
    Tensors,
    all_close,
    merged_weights,
    recipe_and_tensors,
)


def test_dare_without_dropping_is_the_uniform_soup(random_models):
    assert all_close(
        merged_weights(random_models, "dare", drop=0.0),
        recipe_and_tensors(random_models, "uniform")[1],
    )


def test_dare_drops_at_its_rate_and_keeps_the_mean():
    size = 20_000
    start = Tensors(w=torch.zeros(size).double())
    models = {"start": start, "sha-a": Tensors(w=torch.ones(size).double())}
    found = merged_weights(models, "dare", "a", drop=0.75)["w"]
    assert set(found.tolist()) == {0.0, 4.0}
    assert found.mean().item() == pytest.approx(1, abs=0.05)
    again = merged_weights(models, "dare", "a", drop=0.75)["w"]
    other = merged_weights(models, "dare", "a", drop=0.75, seed=1)["w"]
    assert torch.equal(found, again)
    assert not torch.equal(found, other)
