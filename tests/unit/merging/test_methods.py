"""What several merge methods have in common: order, counters, and the held-out set."""

import pytest
import torch

from stockpot.merging import methods
from stockpot.merging.recipe import uniform
from tests.support.merge_methods import (
    LETTERS,
    SHAPES,
    Tensors,
    merge_letters,
    merged_weights,
    random_context,
    recipe_and_tensors,
)


@pytest.mark.parametrize(
    "method", ["uniform", "task-arithmetic", "model-stock", "lines"]
)
def test_symmetric_methods_do_not_see_the_order(random_models, method):
    results = [
        recipe_and_tensors(random_models, method, names) for names in ("abcd", "dbca")
    ]
    (first, a), (second, b) = results
    assert first == second
    assert all(torch.equal(a[name], b[name]) for name in SHAPES)


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_number_by_number_the_order_does_not_count(random_models, method):
    a, b = (merged_weights(random_models, method, names) for names in ("abcd", "cadb"))
    assert all(torch.equal(a[name], b[name]) for name in SHAPES)


@pytest.mark.parametrize("method", ["ties", "dare"])
def test_counters_are_those_of_the_start_and_types_stay(method):
    def model(value):
        return Tensors(
            w=torch.full((3,), value, dtype=torch.bfloat16),
            count=torch.tensor(int(value)),
        )

    models = {"start": model(1.0), "sha-a": model(2.0), "sha-b": model(4.0)}
    found = merged_weights(models, method, "ab")
    assert found["count"].item() == 1
    assert found["w"].dtype == torch.bfloat16


def test_shares_of_an_ensemble_are_in_proportion(random_models):
    ingredients = {name: f"sha-{name}" for name in "ab"}
    given = random_context(
        random_models, "softmax-ensemble", coefficients={"a": 3, "b": 1}
    )
    recipe = methods.load("softmax-ensemble")(ingredients, given)
    assert recipe == {
        "rule": "softmax-ensemble",
        "ingredients": {"sha-a": 0.75, "sha-b": 0.25},
    }


def test_uniform_and_ensemble_look_at_no_held_out_set():
    def forbidden(recipe):
        raise AssertionError("the held-out set was used")

    assert merge_letters("uniform", LETTERS, forbidden) == uniform(
        list(LETTERS.values())
    )
    ensemble = merge_letters("logit-ensemble", LETTERS, forbidden)
    assert ensemble == uniform(list(LETTERS.values()), rule="logit-ensemble")
