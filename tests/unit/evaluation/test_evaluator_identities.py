"""Identities between weight space and output space, on models of the workflow."""

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.store import Store
from stockpot.merging.recipe import interpolate, single, with_head
from stockpot.models.card import read_card
from tests.support.tensors import mixed

SPEC = {"precision": "fp32", "batch_size": 50, "store_logits": True}


@pytest.fixture
def evaluator_of_runs(zero_shot, runs, tmp_path):
    return Evaluator(Store(tmp_path), [zero_shot, *runs.values()], SPEC)


@pytest.fixture
def reference_set(world):
    return read_dataset(world["test"])


@pytest.mark.parametrize("alpha", [0.1, 0.5, 0.8])
def test_wise_ft_of_a_linear_classifier_is_the_logit_ensemble(
    evaluator_of_runs, zero_shot, runs, reference_set, alpha
):
    """WiSE-FT section 3: with one tower the two spaces are one."""
    start, end = (read_card(folder).sha256 for folder in (zero_shot, runs["linear"]))
    ensemble = {"rule": "logit-ensemble", "ingredients": {start: 1 - alpha, end: alpha}}
    weights = interpolate(single(start), single(end), alpha)
    one, other = (
        evaluator_of_runs.predictions(r, reference_set)[1].logits
        for r in (weights, ensemble)
    )
    assert torch.allclose(one, other, rtol=1e-5, atol=1e-4)
    assert not torch.allclose(
        one, evaluator_of_runs.predictions(single(end), reference_set)[1].logits
    )


def test_end_to_end_the_two_spaces_differ(
    evaluator_of_runs, zero_shot, runs, reference_set
):
    start, end = (read_card(folder).sha256 for folder in (zero_shot, runs["a"]))
    ensemble = {"rule": "logit-ensemble", "ingredients": {start: 0.5, end: 0.5}}
    weights = interpolate(single(start), single(end), 0.5)
    one, other = (
        evaluator_of_runs.predictions(r, reference_set)[1].logits
        for r in (weights, ensemble)
    )
    assert not torch.allclose(one, other, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("alpha", [0.25, 0.5])
def test_where_a_model_is_linear_in_what_moves_the_two_spaces_are_one(alpha):
    """WiSE-FT proposition 1: f linear in theta on the segment.

    Here f(x) = A tanh(Bx) + Cx, of which A and C move and B does not.
    """
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator).double()

    shared, x = draw(8, 5), draw(20, 5)
    ends = {
        s: {"A": draw(3, 8), "B": shared, "C": draw(3, 5)} for s in ("start", "end")
    }

    def f(weights):
        return torch.tanh(x @ weights["B"].T) @ weights["A"].T + x @ weights["C"].T

    recipe = interpolate(single("start"), single("end"), alpha)
    middle = dict(mixed(recipe["ingredients"], ends, "ABC"))
    expected = (1 - alpha) * f(ends["start"]) + alpha * f(ends["end"])
    assert torch.allclose(f(middle), expected, atol=1e-12)
    bent = {s: w | {"B": draw(8, 5)} for s, w in ends.items()}
    middle = dict(mixed(recipe["ingredients"], bent, "ABC"))
    assert not torch.allclose(
        f(middle), (1 - alpha) * f(bent["start"]) + alpha * f(bent["end"])
    )


def test_models_of_two_architectures_share_an_ensemble(
    evaluator_of_runs, zero_shot, runs, reference_set
):
    """WiSE-FT C.8: an ensemble with an independently trained model, from stored logits."""
    shas = [read_card(folder).sha256 for folder in (zero_shot, runs["scratch"])]
    alone = [
        evaluator_of_runs.predictions(single(sha), reference_set)[1].logits.double()
        for sha in shas
    ]
    computed = evaluator_of_runs.computed
    recipe = {"rule": "logit-ensemble", "ingredients": dict(zip(shas, (0.75, 0.25)))}
    found = evaluator_of_runs.predictions(recipe, reference_set)[1].logits
    assert torch.allclose(found, (0.75 * alone[0] + 0.25 * alone[1]).float(), atol=1e-5)
    forward = sum(
        engine.forward_images for engine in evaluator_of_runs._engines.values()
    )
    assert evaluator_of_runs.computed == computed + 1
    assert forward == 2 * len(reference_set)


def test_a_tower_under_another_models_head(
    evaluator_of_runs, zero_shot, runs, reference_set
):
    start, tuned = (read_card(folder).sha256 for folder in (zero_shot, runs["a"]))
    recipe = with_head(single(tuned), start)
    assert recipe["ingredients"] == {
        start: {"": 0.0, "head.": 1.0},
        tuned: {"": 1.0, "head.": 0.0},
    }
    from stockpot.models.load import load_classifier
    from stockpot.models.tower import Normaliser

    model, card = load_classifier(runs["a"])
    model.head.load_state_dict(load_classifier(zero_shot)[0].head.state_dict())
    with torch.no_grad():
        expected = model(
            Normaliser(card.mean, card.std)(
                torch.from_numpy(reference_set.images.copy())
            )
        )
    found = evaluator_of_runs.predictions(recipe, reference_set)[1].logits
    assert torch.allclose(found, expected, rtol=1e-5, atol=1e-4)
