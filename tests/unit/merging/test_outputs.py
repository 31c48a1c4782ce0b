"""Mixes of outputs: of logits, of probabilities, and of each model's share of images."""

import torch

from stockpot.merging.outputs import mix_outputs
from stockpot.merging.recipe import uniform

LOGITS = {
    "a": torch.tensor([[2.0, 0.0, 1.0]] * 400),
    "b": torch.tensor([[0.0, 1.0, 3.0]] * 400),
}


def test_a_logit_ensemble_is_the_mean_of_logits():
    found = mix_outputs(uniform(["a", "b"], rule="logit-ensemble"), LOGITS)
    assert torch.equal(found[0], torch.tensor([1.0, 0.5, 2.0]))


def test_a_softmax_ensemble_is_the_mean_of_probabilities():
    found = mix_outputs(uniform(["a", "b"], rule="softmax-ensemble"), LOGITS)
    expected = (LOGITS["a"].softmax(1) + LOGITS["b"].softmax(1)) / 2
    assert torch.allclose(found.softmax(1), expected)


def test_random_interpolation_takes_each_model_at_its_share():
    recipe = {"rule": "random-interpolation", "ingredients": {"a": 0.25, "b": 0.75}}
    found = mix_outputs(recipe, LOGITS)
    from_a = (found == LOGITS["a"]).all(1)
    assert (from_a | (found == LOGITS["b"]).all(1)).all()
    assert 60 < from_a.sum() < 140
    assert torch.equal(mix_outputs(recipe, LOGITS), found), "the same again"
