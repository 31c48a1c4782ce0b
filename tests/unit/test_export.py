"""Recipes written as Classifiers, tensor by tensor."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from stockpot.datasets.dataset import read_dataset
from stockpot.evaluation.engine import Engine
from stockpot.merging.export import materialize_recipe
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import TOWER, Weights, model_digest
from stockpot.models.load import load_classifier
from stockpot.models.stream import SafetensorsWriter, TensorDigest
from stockpot.models.tower import Normaliser
from stockpot.runtime.errors import StockpotError
from tests.support.tensors import tensor_digest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ingredients(zero_shot, runs):
    folders = {"zero": zero_shot, **{name: runs[name] for name in ("a", "b", "linear")}}
    return {name: Weights(folder) for name, folder in folders.items()}


@pytest.fixture(scope="module")
def by_sha(ingredients):
    return {weights.card.sha256: weights for weights in ingredients.values()}


@pytest.fixture(scope="module")
def recipes(ingredients):
    sha = {name: weights.card.sha256 for name, weights in ingredients.items()}
    soup = uniform([sha["a"], sha["b"], sha["linear"]])
    return {
        "soup": soup,
        "sweep to a soup": interpolate(single(sha["zero"]), soup, 0.3),
        "shared tower": interpolate(single(sha["zero"]), single(sha["linear"]), 0.7),
        "alone": single(sha["a"]),
        "beyond": interpolate(single(sha["zero"]), single(sha["b"]), 1.5),
    }


NAMES = ["soup", "sweep to a soup", "shared tower", "alone", "beyond"]


@pytest.mark.parametrize("name", NAMES)
def test_an_export_is_what_the_engine_evaluates(by_sha, recipes, world, tmp_path, name):
    """To a bit, through the engine and through a plain forward pass."""
    data = read_dataset(world["test"])
    expected = Engine(by_sha, "fp32").logits(recipes[name], data)
    card = materialize_recipe(tmp_path, recipes[name], by_sha, "mine")
    again = Weights(tmp_path, verify=True)
    found = Engine({card.sha256: again}, "fp32").logits(single(card.sha256), data)
    assert torch.equal(found, expected)
    model, _ = load_classifier(tmp_path)
    with torch.inference_mode():
        images = torch.from_numpy(data.images.copy())
        assert torch.equal(model(Normaliser(card.mean, card.std)(images)), expected)


def test_the_card_of_an_export(by_sha, recipes, ingredients, tmp_path):
    card = materialize_recipe(tmp_path, recipes["soup"], by_sha, "mine")
    assert card == read_card(tmp_path) == Weights(tmp_path).card
    assert (card.name, card.kind, card.status, card.history) == (
        "mine",
        "soup",
        "ok",
        [],
    )
    assert card.spec == recipes["soup"]
    zero = ingredients["zero"].card
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
        tmp_path / "b", {**recipes["soup"], "method": "greedy"}, by_sha, "mine"
    )
    assert named.kind == "greedy"
    assert named.sha256 == card.sha256


def test_a_model_exported_alone_is_the_model(by_sha, recipes, ingredients, tmp_path):
    card = materialize_recipe(tmp_path, recipes["alone"], by_sha, "mine")
    assert card.sha256 == ingredients["a"].card.sha256


def test_a_shared_tower_stays_shared(by_sha, recipes, ingredients, tmp_path):
    card = materialize_recipe(tmp_path, recipes["shared tower"], by_sha, "mine")
    assert card.tower_sha256 == ingredients["zero"].card.tower_sha256
    assert card.sha256 not in by_sha


def test_an_export_is_an_ingredient(by_sha, recipes, ingredients, world, tmp_path):
    """It starts where its ingredients do."""
    card = materialize_recipe(tmp_path, recipes["soup"], by_sha, "mine")
    zero = ingredients["zero"]
    engine = Engine({card.sha256: Weights(tmp_path), zero.card.sha256: zero}, "fp32")
    engine.logits(uniform([card.sha256, zero.card.sha256]), read_dataset(world["test"]))


def test_a_broken_export_is_not_read(by_sha, recipes, tmp_path):
    materialize_recipe(tmp_path, recipes["soup"], by_sha, "mine")
    path = Weights(tmp_path).path
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(StockpotError, match="its content is not what"):
        Weights(tmp_path)


def test_an_export_maps_no_ingredient_into_memory(by_sha, recipes, tmp_path):
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
        for sha, weights in by_sha.items()
    }
    names = next(iter(by_sha.values())).names
    read.clear()
    materialize_recipe(tmp_path, recipes["soup"], logged, "mine")
    assert sorted(read) == [name for name in sorted(names) for _ in range(3)]


def test_outputs_cannot_be_exported(by_sha, recipes, tmp_path):
    ensemble = uniform(list(recipes["soup"]["ingredients"]), rule="logit-ensemble")
    with pytest.raises(
        StockpotError, match="^mine: a logit-ensemble has no weights"
    ) as error:
        materialize_recipe(tmp_path / "out", ensemble, by_sha, "mine")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_mixed_cannot_be_exported(by_sha, runs, tmp_path):
    scratch = Weights(runs["scratch"])
    recipe = uniform([scratch.card.sha256, next(iter(by_sha))])
    with pytest.raises(StockpotError, match="not among the classifiers"):
        materialize_recipe(tmp_path / "out", recipe, by_sha, "mine")
    with pytest.raises(StockpotError, match="differs from that of|same weights"):
        materialize_recipe(
            tmp_path / "out", recipe, {**by_sha, scratch.card.sha256: scratch}, "mine"
        )
    assert not (tmp_path / "out").exists()


def test_an_export_cut_short_leaves_nothing(by_sha, recipes, tmp_path):
    class Cut(Weights):
        def stored(self, name):
            if name == self.names[-1]:
                raise RuntimeError("cut")
            return super().stored(name)

    cut = {
        sha: Cut(weights.path.parent, verify=False) for sha, weights in by_sha.items()
    }
    with pytest.raises(RuntimeError, match="cut"):
        materialize_recipe(tmp_path, recipes["soup"], cut, "mine")
    assert list(tmp_path.iterdir()) == []


# The file.


@pytest.fixture
def tensors():
    generator = torch.Generator().manual_seed(0)
    return {
        "odd": torch.randn(3, generator=generator),
        "half": torch.randn(5, generator=generator).bfloat16(),
        "counter": torch.tensor(7),
        "flag": torch.tensor([True, False, True]),
        "zérø": torch.randn(3, 2, generator=generator).T,
        "empty": torch.zeros(0, 4),
    }


def shapes_of(tensors) -> dict:
    kinds = {
        torch.float32: "F32",
        torch.bfloat16: "BF16",
        torch.int64: "I64",
        torch.bool: "BOOL",
    }
    return {name: (list(t.shape), kinds[t.dtype]) for name, t in tensors.items()}


@pytest.mark.parametrize("backwards", [False, True])
def test_a_file_written_in_pieces_is_the_librarys(tensors, tmp_path, backwards):
    with SafetensorsWriter(
        tmp_path / "ours", shapes_of(tensors), {"card": "0"}
    ) as file:
        for name in sorted(tensors, reverse=backwards):
            file.write(name, tensors[name])
        file.finish({"card": "1"})
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    save_file(whole, tmp_path / "theirs", {"card": "1"})
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    loaded = load_file(tmp_path / "ours")
    assert all(torch.equal(loaded[name], tensors[name]) for name in tensors)


def test_a_file_in_pieces_is_whole_or_refused(tensors, tmp_path):
    with SafetensorsWriter(
        tmp_path / "file", shapes_of(tensors), {"card": "0"}
    ) as file:
        with pytest.raises(ValueError, match="odd: 16 bytes for a place of 12"):
            file.write("odd", torch.zeros(4))
        file.write("odd", torch.zeros(2))
        for name in list(tensors)[1:]:
            file.write(name, tensors[name])
        with pytest.raises(ValueError, match="odd"):
            file.finish({"card": "1"})
        file.write("odd", tensors["odd"])
        with pytest.raises(ValueError, match="another length"):
            file.finish({"card": "1" * 9})


def test_a_tensor_may_come_in_parts(tensors, tmp_path):
    with SafetensorsWriter(
        tmp_path / "file", shapes_of(tensors), {"card": "0"}
    ) as file:
        for name, tensor in tensors.items():
            before = 0
            for part in tensor.reshape(-1).split(2):
                file.write(name, part, before)
                before += part.nbytes
        file.finish({"card": "1"})
    found = load_file(tmp_path / "file")
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors.items())


def test_a_digest_of_tensors_that_come_one_by_one(tensors):
    digest = TensorDigest()
    for name in sorted(tensors):
        digest.add(name, tensors[name])
    assert digest.hexdigest() == tensor_digest(tensors)
    other = TensorDigest()
    other.add("odd", tensors["odd"])
    assert other.hexdigest() != digest.hexdigest()
