"""Recipes written as Classifiers, tensor by tensor."""

import pytest
import torch

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.engine import Engine
from stockpot.merging.export import materialize_recipe
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import TOWER, Weights, model_digest
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from tests.support.tensors import tensor_digest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights_by_name(zero_shot, runs):
    folders = {"zero": zero_shot, **{name: runs[name] for name in ("a", "b", "linear")}}
    return {name: Weights(folder) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def weights_by_sha(weights_by_name):
    return {weights.card.sha256: weights for weights in weights_by_name.values()}


@pytest.fixture(scope="module")
def exported_recipes(weights_by_name):
    sha = {name: weights.card.sha256 for name, weights in weights_by_name.items()}
    soup = uniform([sha["a"], sha["b"], sha["linear"]])
    return {
        "soup": soup,
        "sweep to a soup": interpolate(single(sha["zero"]), soup, 0.3),
        "shared tower": interpolate(single(sha["zero"]), single(sha["linear"]), 0.7),
        "alone": single(sha["a"]),
        "beyond": interpolate(single(sha["zero"]), single(sha["b"]), 1.5),
    }


RECIPES = ["soup", "sweep to a soup", "shared tower", "alone", "beyond"]


@pytest.mark.parametrize("name", RECIPES)
def test_an_export_is_what_the_engine_evaluates(
    weights_by_sha, exported_recipes, world, tmp_path, name
):
    """To a bit, through the engine and through a plain forward pass."""
    data = read_dataset(world["test"])
    expected = Engine(weights_by_sha, "fp32").logits(exported_recipes[name], data)
    card = materialize_recipe(tmp_path, exported_recipes[name], weights_by_sha, "mine")
    again = Weights(tmp_path, verify=True)
    found = Engine({card.sha256: again}, "fp32").logits(single(card.sha256), data)
    assert torch.equal(found, expected)
    model, _ = load_classifier(tmp_path)
    with torch.inference_mode():
        images = torch.from_numpy(data.images.copy())
        assert torch.equal(model(Normaliser(card.mean, card.std)(images)), expected)


def test_the_card_of_an_export(
    weights_by_sha, exported_recipes, weights_by_name, tmp_path
):
    card = materialize_recipe(
        tmp_path, exported_recipes["soup"], weights_by_sha, "mine"
    )
    assert card == read_card(tmp_path) == Weights(tmp_path).card
    assert (card.name, card.kind, card.status, card.history) == (
        "mine",
        "soup",
        "ok",
        [],
    )
    assert card.spec == exported_recipes["soup"]
    zero = weights_by_name["zero"].card
    assert card.start == zero.sha256
    for field in (
        "architecture",
        "class_names",
        "normalise",
        "mean",
        "std",
        "image_size",
    ):
        assert getattr(card, field) == getattr(zero, field)
    tensors = {name: Weights(tmp_path)[name] for name in Weights(tmp_path).names}
    tower = {name: tensor for name, tensor in tensors.items() if name.startswith(TOWER)}
    assert card.sha256 == model_digest(card, tensors)
    assert card.tower_sha256 == tensor_digest(tower)
    named = materialize_recipe(
        tmp_path / "b",
        {**exported_recipes["soup"], "method": "greedy"},
        weights_by_sha,
        "mine",
    )
    assert named.kind == "greedy"
    assert named.sha256 == card.sha256


def test_a_model_exported_alone_is_the_model(
    weights_by_sha, exported_recipes, weights_by_name, tmp_path
):
    card = materialize_recipe(
        tmp_path, exported_recipes["alone"], weights_by_sha, "mine"
    )
    assert card.sha256 == weights_by_name["a"].card.sha256


def test_a_shared_tower_stays_shared(
    weights_by_sha, exported_recipes, weights_by_name, tmp_path
):
    card = materialize_recipe(
        tmp_path, exported_recipes["shared tower"], weights_by_sha, "mine"
    )
    assert card.tower_sha256 == weights_by_name["zero"].card.tower_sha256
    assert card.sha256 not in weights_by_sha


def test_an_export_is_an_ingredient(
    weights_by_sha, exported_recipes, weights_by_name, world, tmp_path
):
    """It starts where its ingredients do."""
    card = materialize_recipe(
        tmp_path, exported_recipes["soup"], weights_by_sha, "mine"
    )
    zero = weights_by_name["zero"]
    engine = Engine({card.sha256: Weights(tmp_path), zero.card.sha256: zero}, "fp32")
    engine.logits(uniform([card.sha256, zero.card.sha256]), read_dataset(world["test"]))


def test_a_broken_export_is_not_read(weights_by_sha, exported_recipes, tmp_path):
    materialize_recipe(tmp_path, exported_recipes["soup"], weights_by_sha, "mine")
    path = Weights(tmp_path).path
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(StockpotError, match="its content is not what"):
        Weights(tmp_path)


def test_an_export_maps_no_ingredient_into_memory(
    weights_by_sha, exported_recipes, tmp_path
):
    """It reads slices, of each tensor of each ingredient once."""
    read = []

    class Logged(Weights):
        def __getitem__(self, name):
            raise AssertionError("a whole tensor was asked for")

        def stored(self, name):
            read.append(name)
            return super().stored(name)

    logged = {
        sha: Logged(weights.path.parent, verify=False)
        for sha, weights in weights_by_sha.items()
    }
    names = next(iter(weights_by_sha.values())).names
    read.clear()
    materialize_recipe(tmp_path, exported_recipes["soup"], logged, "mine")
    assert sorted(read) == [name for name in sorted(names) for _ in range(3)]


def test_outputs_cannot_be_exported(weights_by_sha, exported_recipes, tmp_path):
    ensemble = uniform(
        list(exported_recipes["soup"]["ingredients"]), rule="logit-ensemble"
    )
    with pytest.raises(
        StockpotError, match="^mine: a logit-ensemble has no weights"
    ) as error:
        materialize_recipe(tmp_path / "out", ensemble, weights_by_sha, "mine")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_mixed_cannot_be_exported(weights_by_sha, runs, tmp_path):
    scratch = Weights(runs["scratch"])
    recipe = uniform([scratch.card.sha256, next(iter(weights_by_sha))])
    with pytest.raises(StockpotError, match="not among the classifiers"):
        materialize_recipe(tmp_path / "out", recipe, weights_by_sha, "mine")
    with pytest.raises(StockpotError, match="differs from that of|same weights"):
        materialize_recipe(
            tmp_path / "out",
            recipe,
            {**weights_by_sha, scratch.card.sha256: scratch},
            "mine",
        )
    assert not (tmp_path / "out").exists()


def test_an_export_cut_short_leaves_nothing(weights_by_sha, exported_recipes, tmp_path):
    class Cut(Weights):
        def stored(self, name):
            if name == self.names[-1]:
                raise RuntimeError("cut")
            return super().stored(name)

    cut = {
        sha: Cut(weights.path.parent, verify=False)
        for sha, weights in weights_by_sha.items()
    }
    with pytest.raises(RuntimeError, match="cut"):
        materialize_recipe(tmp_path, exported_recipes["soup"], cut, "mine")
    assert list(tmp_path.iterdir()) == []
