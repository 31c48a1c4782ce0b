"""The engine answers as a plain forward pass of mixed weights does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from stockpot.datasets.dataset import read_dataset, write_dataset
from stockpot.evaluation.engine import Engine
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.runtime.errors import StockpotError
from tests.support.evaluated_models import (
    ALPHAS,
    all_close,
    evaluator_of,
    mixed_by_hand,
    plain_logits,
)

pytestmark = pytest.mark.slow


def engine_of(folders, *names, **options) -> Engine:
    weights = [Weights(folders[name]) for name in names or folders]
    return Engine(
        {w.card.sha256: w for w in weights}, **{"precision": "fp32", **options}
    )


@pytest.mark.parametrize("name", ["zero", "a", "linear"])
@pytest.mark.parametrize("batch_size", [500, 7])
def test_a_model_alone_is_its_own_forward_pass(
    one_start_folders, sha_of, reference_set, name, batch_size
):
    engine = engine_of(one_start_folders, batch_size=batch_size)
    found = engine.logits(single(sha_of[name]), reference_set)
    assert found.dtype == torch.float32
    assert found.device.type == "cpu"
    assert all_close(found, plain_logits(one_start_folders[name], reference_set))


def test_a_standard_model_is_its_own_forward_pass(runs, reference_set):
    sha = read_card(runs["scratch"]).sha256
    found = engine_of(runs, "scratch").logits(single(sha), reference_set)
    assert all_close(found, plain_logits(runs["scratch"], reference_set))


@pytest.mark.parametrize(
    "shares",
    [
        {"zero": 0.7, "a": 0.3},
        {"a": 0.5, "b": 0.5},
        {"zero": 0.25, "linear": 0.75},
        {"a": 0.25, "b": 0.25, "linear": 0.25, "zero": 0.25},
    ],
    ids=lambda shares: "+".join(shares),
)
def test_a_mix_is_the_forward_pass_of_mixed_weights(
    one_start_folders, sha_of, reference_set, shares
):
    recipe = {
        "rule": "linear",
        "ingredients": {sha_of[n]: c for n, c in shares.items()},
    }
    found = engine_of(one_start_folders).logits(recipe, reference_set)
    expected = plain_logits(
        one_start_folders["zero"],
        reference_set,
        mixed_by_hand(one_start_folders, shares),
    )
    assert all_close(found, expected)
    ends = [plain_logits(one_start_folders[name], reference_set) for name in shares]
    assert not any(all_close(found, end, 1e-4) for end in ends)


def test_the_order_of_questions_does_not_matter(
    one_start_folders, sha_of, reference_set, sketch_set
):
    """Weights and features left by one recipe must not leak into the next."""
    recipes = [
        single(sha_of["zero"]),
        interpolate(single(sha_of["zero"]), single(sha_of["a"]), 0.5),
        single(sha_of["linear"]),
        single(sha_of["a"]),
        interpolate(single(sha_of["zero"]), single(sha_of["linear"]), 0.5),
        uniform([sha_of["a"], sha_of["linear"]]),
    ]
    cells = [
        (recipe, data) for recipe in recipes for data in (reference_set, sketch_set)
    ]
    fresh = [engine_of(one_start_folders).logits(*cell) for cell in cells]
    for seed in range(3):
        engine = engine_of(one_start_folders)
        for i in np.random.default_rng(seed).permutation(len(cells)):
            assert torch.equal(engine.logits(*cells[i]), fresh[i])


def test_a_model_is_whole_again_after_a_mix(
    one_start_folders, sha_of, reference_set, sketch_set
):
    """Its tower was in place before the mix overwrote it."""
    engine = engine_of(one_start_folders)
    engine.logits(single(sha_of["zero"]), reference_set)
    engine.logits(uniform([sha_of["zero"], sha_of["a"]]), reference_set)
    assert all_close(
        engine.logits(single(sha_of["zero"]), sketch_set),
        plain_logits(one_start_folders["zero"], sketch_set),
    )
    engine.logits(uniform([sha_of["zero"], sha_of["a"]]), sketch_set)
    assert all_close(
        engine.logits(single(sha_of["a"]), sketch_set),
        plain_logits(one_start_folders["a"], sketch_set),
    )
    assert all_close(
        engine.logits(single(sha_of["linear"]), sketch_set),
        plain_logits(one_start_folders["linear"], sketch_set),
    )


def test_a_sweep_of_linear_classifiers_runs_the_tower_once(
    one_start_folders, sha_of, reference_set, sketch_set
):
    engine = engine_of(one_start_folders)
    for alpha in ALPHAS:
        recipe = interpolate(single(sha_of["zero"]), single(sha_of["linear"]), alpha)
        for data in (reference_set, sketch_set):
            engine.logits(recipe, data)
    assert engine.forward_images == len(reference_set) + len(sketch_set)
    assert engine.forward_seconds > 0
    engine.logits(
        interpolate(single(sha_of["zero"]), single(sha_of["a"]), 0.5), reference_set
    )
    assert engine.forward_images == 2 * len(reference_set) + len(sketch_set)


def test_features_do_not_pile_up(one_start_folders, sha_of, reference_set, sketch_set):
    """A family asks recipe by recipe; features of towers that are done with are dropped."""
    engine = engine_of(one_start_folders)
    for recipe in (
        single(sha_of["zero"]),
        single(sha_of["a"]),
        uniform([sha_of["a"], sha_of["b"]]),
    ):
        for data in (reference_set, sketch_set):
            engine.logits(recipe, data)
        kept = [len(features) for features in engine._features.values()]
        assert sorted(kept) == sorted([len(reference_set), len(sketch_set)])
    assert engine.forward_images == 3 * (len(reference_set) + len(sketch_set))


def test_a_recipe_is_mixed_once_for_all_data_sets(
    one_start_folders, sha_of, reference_set, sketch_set
):
    read = []

    class Logged(Weights):
        def __getitem__(self, name):
            read.append(name)
            return super().__getitem__(name)

    engine = Engine(
        {sha_of[name]: Logged(one_start_folders[name]) for name in ("zero", "a")},
        "fp32",
    )
    recipe = uniform([sha_of["zero"], sha_of["a"]])
    read.clear()
    engine.logits(recipe, reference_set)
    assert sorted(read) == sorted(2 * list(engine.mixed.tensors))
    read.clear()
    engine.logits(recipe, sketch_set)
    assert read == []


MEMORY = {"nothing": 0, "some": 500_000, "everything": 10**9}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_resident_makes_no_difference(
    one_start_folders, sha_of, reference_set, sketch_set, precision
):
    """Not to a bit, whether images and weights stay, some of them, or all are streamed."""
    recipes = [
        uniform([sha_of["zero"], sha_of["a"]]),
        single(sha_of["b"]),
        single(sha_of["linear"]),
    ]
    engines = {
        name: engine_of(
            one_start_folders, precision=precision, batch_size=20, memory=memory
        )
        for name, memory in MEMORY.items()
    }
    found = {
        name: torch.cat(
            [engine.logits(r, d) for r in recipes for d in (reference_set, sketch_set)]
        )
        for name, engine in engines.items()
    }
    assert torch.equal(found["some"], found["nothing"])
    assert torch.equal(found["everything"], found["nothing"])
    used = {
        name: MEMORY[name] - engine.resident.left for name, engine in engines.items()
    }
    assert used["nothing"] == 0
    assert 0 < used["some"] <= MEMORY["some"]
    assert (
        used["everything"]
        > reference_set.images.nbytes + sketch_set.images.nbytes
        > used["nothing"]
    )


@pytest.mark.parametrize("memory", [0, 10**9])
def test_resident_images_are_copied_once(
    one_start_folders, sha_of, reference_set, memory
):
    """Shown by pixels that change behind the engine's back."""
    data = replace(reference_set, images=reference_set.images.copy())
    engine = engine_of(one_start_folders, memory=memory)
    engine.logits(single(sha_of["zero"]), data)
    data.images[:] = 0
    found = engine.logits(single(sha_of["a"]), data)
    assert all_close(
        found, plain_logits(one_start_folders["a"], reference_set if memory else data)
    )


def test_reduced_precision_is_close_and_is_used(
    one_start_folders, sha_of, reference_set
):
    recipe = interpolate(single(sha_of["zero"]), single(sha_of["a"]), 0.5)
    exact, rough = (
        engine_of(one_start_folders, precision=p).logits(recipe, reference_set)
        for p in ("fp32", "bf16")
    )
    assert rough.dtype == torch.float32
    assert not all_close(rough, exact, 1e-4)
    assert all_close(rough, exact, 0.1)


def test_the_engine_mixes_weights_alone(one_start_folders, sha_of, reference_set):
    recipe = uniform([sha_of["a"], sha_of["b"]], rule="logit-ensemble")
    with pytest.raises(StockpotError, match="logit-ensemble"):
        engine_of(one_start_folders).logits(recipe, reference_set)


def test_strangers_cannot_share_an_engine(one_start_folders, runs):
    with pytest.raises(StockpotError, match="^scratch: "):
        engine_of({**one_start_folders, "scratch": runs["scratch"]})


def test_the_engine_leaves_the_files_alone(one_start_folders, sha_of, reference_set):
    before = Weights(one_start_folders["zero"])["head.weight"].clone()
    engine_of(one_start_folders).logits(
        uniform([sha_of["zero"], sha_of["a"]]), reference_set
    )
    assert torch.equal(Weights(one_start_folders["zero"])["head.weight"], before)
    Weights(one_start_folders["zero"], verify=True)


@pytest.fixture(scope="module")
def set_of_four_classes(reference_set, tmp_path_factory):
    """The test set's images of four classes, in another order than the model's."""
    classes = ["moon", "ball", "fish", "key"]
    old = [reference_set.class_names.index(name) for name in classes]
    rows = np.flatnonzero(np.isin(reference_set.labels, old))
    labels = np.array([old.index(label) for label in reference_set.labels[rows]])
    folder = tmp_path_factory.mktemp("subset")
    write_dataset(folder, "subset", reference_set.images[rows], labels, classes, {})
    return read_dataset(folder), rows, old


def test_a_data_set_of_some_classes_uses_their_columns(
    one_start_folders, sha_of, reference_set, set_of_four_classes, tmp_path
):
    data, rows, columns = set_of_four_classes
    engine = engine_of(one_start_folders)
    whole = engine.logits(single(sha_of["zero"]), reference_set)
    found = engine.logits(single(sha_of["zero"]), data)
    assert all_close(found, whole[rows][:, columns])
    _, answer = evaluator_of(one_start_folders, tmp_path).predictions(
        single(sha_of["zero"]), data
    )
    assert answer.n == len(rows)
    assert answer.predicted.max() < 4
    expected = (whole[rows][:, columns].argmax(1).numpy() == data.labels).sum()
    assert answer.k == expected > len(rows) / 4


def test_an_unknown_class_is_named(one_start_folders, sha_of, reference_set, tmp_path):
    classes = [*reference_set.class_names[:-1], "teapot"]
    write_dataset(
        tmp_path, "odd", reference_set.images, reference_set.labels, classes, {}
    )
    with pytest.raises(StockpotError, match=r"^odd: .*'teapot'.*16 classes \(ball"):
        engine_of(one_start_folders).logits(
            single(sha_of["zero"]), read_dataset(tmp_path)
        )
