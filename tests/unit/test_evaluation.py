"""Evaluation: the engine, the store, the evaluator, families and adversarial sets."""

import importlib.util
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stockpot.datasets.dataset import read_dataset, write_dataset
from stockpot.evaluation.adversarial_filter import write_adversarial
from stockpot.evaluation.engine import Engine
from stockpot.evaluation.evaluate_models import (
    evaluate_models,
    labelled_recipes,
    read_recipe,
)
from stockpot.evaluation.evaluator import Evaluator
from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.store import Store, store_key
from stockpot.evaluation.stored_predictions import answers
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.models.card import read_card
from stockpot.models.classifier import Weights, write_card
from stockpot.models.load import load_classifier
from stockpot.models.tower import Normaliser
from stockpot.runtime import atomic_files as files
from stockpot.runtime import code_digest as digest
from stockpot.runtime.atomic_files import atomic
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import write_sealed
from stockpot.training.run import run
from tests.support.paths import SCRIPTS
from tests.support.short_runs import run_spec

pytestmark = pytest.mark.slow

SPEC = {"precision": "fp32", "batch_size": 50, "store_logits": True}
ALPHAS = [0.0, 0.25, 0.5, 0.75, 1.0]


@pytest.fixture(scope="module")
def folders(zero_shot, runs):
    """All that share the zero-shot start."""
    return {"zero": zero_shot, **{name: runs[name] for name in ("a", "b", "linear")}}


@pytest.fixture(scope="module")
def shas(folders):
    return {name: read_card(folder).sha256 for name, folder in folders.items()}


@pytest.fixture(scope="module")
def test_set(world):
    return read_dataset(world["test"])


@pytest.fixture(scope="module")
def sketch(world):
    return read_dataset(world["sketch"])


def engine_of(folders, *names, **options) -> Engine:
    weights = [Weights(folders[name]) for name in names or folders]
    return Engine(
        {w.card.sha256: w for w in weights}, **{"precision": "fp32", **options}
    )


def evaluator_of(folders, root, *names, **changes) -> Evaluator:
    wanted = [folders[name] for name in names or folders]
    return Evaluator(Store(root), wanted, {**SPEC, **changes})


def plain(folder, dataset, state=None):
    """Logits of a loaded model, with weights replaced where they are given."""
    model, card = load_classifier(folder)
    if state is not None:
        model.load_state_dict(state)
    with torch.no_grad():
        return model(
            Normaliser(card.mean, card.std)(torch.from_numpy(dataset.images.copy()))
        )


def blended(folders, shares: dict[str, float]):
    """A mixed state dict, computed by hand."""
    states = {name: load_classifier(folders[name])[0].state_dict() for name in shares}
    first = next(iter(states.values()))
    return {
        name: sum(c * states[n][name].double() for n, c in shares.items()).float()
        for name in first
    }


def close(found, expected, tolerance=1e-5):
    scale = expected.abs().max()
    return (
        found.shape == expected.shape
        and (found - expected).abs().max() <= tolerance * scale
    )


@pytest.mark.parametrize("name", ["zero", "a", "linear"])
@pytest.mark.parametrize("batch_size", [500, 7])
def test_a_model_alone_is_its_own_forward_pass(
    folders, shas, test_set, name, batch_size
):
    engine = engine_of(folders, batch_size=batch_size)
    found = engine.logits(single(shas[name]), test_set)
    assert found.dtype == torch.float32
    assert found.device.type == "cpu"
    assert close(found, plain(folders[name], test_set))


def test_a_standard_model_is_its_own_forward_pass(runs, test_set):
    sha = read_card(runs["scratch"]).sha256
    found = engine_of(runs, "scratch").logits(single(sha), test_set)
    assert close(found, plain(runs["scratch"], test_set))


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
def test_a_mix_is_the_forward_pass_of_mixed_weights(folders, shas, test_set, shares):
    recipe = {"rule": "linear", "ingredients": {shas[n]: c for n, c in shares.items()}}
    found = engine_of(folders).logits(recipe, test_set)
    expected = plain(folders["zero"], test_set, blended(folders, shares))
    assert close(found, expected)
    ends = [plain(folders[name], test_set) for name in shares]
    assert not any(close(found, end, 1e-4) for end in ends)


def test_the_order_of_questions_does_not_matter(folders, shas, test_set, sketch):
    """Weights and features left by one recipe must not leak into the next."""
    recipes = [
        single(shas["zero"]),
        interpolate(single(shas["zero"]), single(shas["a"]), 0.5),
        single(shas["linear"]),
        single(shas["a"]),
        interpolate(single(shas["zero"]), single(shas["linear"]), 0.5),
        uniform([shas["a"], shas["linear"]]),
    ]
    cells = [(recipe, data) for recipe in recipes for data in (test_set, sketch)]
    fresh = [engine_of(folders).logits(*cell) for cell in cells]
    for seed in range(3):
        engine = engine_of(folders)
        for i in np.random.default_rng(seed).permutation(len(cells)):
            assert torch.equal(engine.logits(*cells[i]), fresh[i])


def test_a_model_is_whole_again_after_a_mix(folders, shas, test_set, sketch):
    """Its tower was in place before the mix overwrote it."""
    engine = engine_of(folders)
    engine.logits(single(shas["zero"]), test_set)
    engine.logits(uniform([shas["zero"], shas["a"]]), test_set)
    assert close(
        engine.logits(single(shas["zero"]), sketch), plain(folders["zero"], sketch)
    )
    engine.logits(uniform([shas["zero"], shas["a"]]), sketch)
    assert close(engine.logits(single(shas["a"]), sketch), plain(folders["a"], sketch))
    assert close(
        engine.logits(single(shas["linear"]), sketch), plain(folders["linear"], sketch)
    )


def test_a_sweep_of_linear_classifiers_runs_the_tower_once(
    folders, shas, test_set, sketch
):
    engine = engine_of(folders)
    for alpha in ALPHAS:
        recipe = interpolate(single(shas["zero"]), single(shas["linear"]), alpha)
        for data in (test_set, sketch):
            engine.logits(recipe, data)
    assert engine.forward_images == len(test_set) + len(sketch)
    assert engine.forward_seconds > 0
    engine.logits(interpolate(single(shas["zero"]), single(shas["a"]), 0.5), test_set)
    assert engine.forward_images == 2 * len(test_set) + len(sketch)


def test_features_do_not_pile_up(folders, shas, test_set, sketch):
    """A family asks recipe by recipe; features of towers that are done with are dropped."""
    engine = engine_of(folders)
    for recipe in (
        single(shas["zero"]),
        single(shas["a"]),
        uniform([shas["a"], shas["b"]]),
    ):
        for data in (test_set, sketch):
            engine.logits(recipe, data)
        kept = [len(features) for features in engine._features.values()]
        assert sorted(kept) == sorted([len(test_set), len(sketch)])
    assert engine.forward_images == 3 * (len(test_set) + len(sketch))


def test_a_recipe_is_mixed_once_for_all_data_sets(folders, shas, test_set, sketch):
    read = []

    class Logged(Weights):
        def __getitem__(self, name):
            read.append(name)
            return super().__getitem__(name)

    engine = Engine(
        {shas[name]: Logged(folders[name]) for name in ("zero", "a")}, "fp32"
    )
    recipe = uniform([shas["zero"], shas["a"]])
    read.clear()
    engine.logits(recipe, test_set)
    assert sorted(read) == sorted(2 * list(engine.mixed.tensors))
    read.clear()
    engine.logits(recipe, sketch)
    assert read == []


MEMORY = {"nothing": 0, "some": 500_000, "everything": 10**9}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_resident_makes_no_difference(
    folders, shas, test_set, sketch, precision
):
    """Not to a bit, whether images and weights stay, some of them, or all are streamed."""
    recipes = [
        uniform([shas["zero"], shas["a"]]),
        single(shas["b"]),
        single(shas["linear"]),
    ]
    engines = {
        name: engine_of(folders, precision=precision, batch_size=20, memory=memory)
        for name, memory in MEMORY.items()
    }
    found = {
        name: torch.cat(
            [engine.logits(r, d) for r in recipes for d in (test_set, sketch)]
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
        > test_set.images.nbytes + sketch.images.nbytes
        > used["nothing"]
    )


@pytest.mark.parametrize("memory", [0, 10**9])
def test_resident_images_are_copied_once(folders, shas, test_set, memory):
    """Shown by pixels that change behind the engine's back."""
    data = replace(test_set, images=test_set.images.copy())
    engine = engine_of(folders, memory=memory)
    engine.logits(single(shas["zero"]), data)
    data.images[:] = 0
    found = engine.logits(single(shas["a"]), data)
    assert close(found, plain(folders["a"], test_set if memory else data))


def test_reduced_precision_is_close_and_is_used(folders, shas, test_set):
    recipe = interpolate(single(shas["zero"]), single(shas["a"]), 0.5)
    exact, rough = (
        engine_of(folders, precision=p).logits(recipe, test_set)
        for p in ("fp32", "bf16")
    )
    assert rough.dtype == torch.float32
    assert not close(rough, exact, 1e-4)
    assert close(rough, exact, 0.1)


def test_the_engine_mixes_weights_alone(folders, shas, test_set):
    recipe = uniform([shas["a"], shas["b"]], rule="logit-ensemble")
    with pytest.raises(StockpotError, match="logit-ensemble"):
        engine_of(folders).logits(recipe, test_set)


def test_strangers_cannot_share_an_engine(folders, runs):
    with pytest.raises(StockpotError, match="^scratch: "):
        engine_of({**folders, "scratch": runs["scratch"]})


def test_the_engine_leaves_the_files_alone(folders, shas, test_set):
    before = Weights(folders["zero"])["head.weight"].clone()
    engine_of(folders).logits(uniform([shas["zero"], shas["a"]]), test_set)
    assert torch.equal(Weights(folders["zero"])["head.weight"], before)
    Weights(folders["zero"], verify=True)


@pytest.fixture(scope="module")
def subset(test_set, tmp_path_factory):
    """The test set's images of four classes, in another order than the model's."""
    classes = ["moon", "ball", "fish", "key"]
    old = [test_set.class_names.index(name) for name in classes]
    rows = np.flatnonzero(np.isin(test_set.labels, old))
    labels = np.array([old.index(label) for label in test_set.labels[rows]])
    folder = tmp_path_factory.mktemp("subset")
    write_dataset(folder, "subset", test_set.images[rows], labels, classes, {})
    return read_dataset(folder), rows, old


def test_a_data_set_of_some_classes_uses_their_columns(
    folders, shas, test_set, subset, tmp_path
):
    data, rows, columns = subset
    engine = engine_of(folders)
    whole = engine.logits(single(shas["zero"]), test_set)
    found = engine.logits(single(shas["zero"]), data)
    assert close(found, whole[rows][:, columns])
    _, answer = evaluator_of(folders, tmp_path).predictions(single(shas["zero"]), data)
    assert answer.n == len(rows)
    assert answer.predicted.max() < 4
    expected = (whole[rows][:, columns].argmax(1).numpy() == data.labels).sum()
    assert answer.k == expected > len(rows) / 4


def test_an_unknown_class_is_named(folders, shas, test_set, tmp_path):
    classes = [*test_set.class_names[:-1], "teapot"]
    write_dataset(tmp_path, "odd", test_set.images, test_set.labels, classes, {})
    with pytest.raises(StockpotError, match=r"^odd: .*'teapot'.*16 classes \(ball"):
        engine_of(folders).logits(single(shas["zero"]), read_dataset(tmp_path))


def test_predictions_of_logits():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 3.0, 3.0]])
    found = predictions(logits, torch.tensor([0, 1, 2]), keep_logits=True)
    assert found.predicted.tolist() == [0, 0, 1], "ties go to the first class"
    assert found.correct.tolist() == [True, False, False]
    assert (found.n, found.k) == (3, 1)
    e = torch.tensor([2.0, 1.0, 0.0]).exp()
    assert found.confidence[0].item() == pytest.approx((e[0] / e.sum()).item())
    assert found.confidence[1].item() == pytest.approx(1 / 3)
    assert found.loss[0].item() == pytest.approx(-np.log((e[0] / e.sum()).item()))
    assert torch.equal(found.logits, logits)
    assert (
        predictions(logits, torch.tensor([0, 1, 2]), keep_logits=False).logits is None
    )


@pytest.fixture
def answer():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20, 5, generator=generator)
    return predictions(logits, torch.arange(20) % 5, keep_logits=True)


def equal(a, b, logits=True) -> bool:
    names = [
        "predicted",
        "correct",
        "confidence",
        "loss",
        *(["logits"] if logits else []),
    ]
    pairs = [(getattr(a, name), getattr(b, name)) for name in names]
    return all(x.dtype == y.dtype and torch.equal(x, y) for x, y in pairs)


def test_the_store_keeps_what_it_is_given(answer, tmp_path):
    store, name = Store(tmp_path), store_key(single("a"), "f", "fp32")
    assert store.get(name) is None
    store.put(name, answer, single("a"), "test")
    assert equal(store.get(name, logits=True), answer)
    assert equal(store.get(name), answer, logits=False)
    assert store.get(name).logits is None
    assert (answers(tmp_path, name).correct == answer.correct.numpy()).all()
    assert store.path(name).relative_to(tmp_path).parts == (
        name[:2],
        f"{name}.safetensors",
    )
    assert [p.name for p in store.path(name).parent.iterdir()] == [
        f"{name}.safetensors"
    ]


def test_an_entry_never_loses_its_logits(answer, tmp_path, monkeypatch):
    """Two jobs may compute one cell at once, one of them without a use for logits."""
    store, name = Store(tmp_path), store_key(single("a"), "f", "fp32")
    bare = replace(answer, logits=None)
    store.put(name, bare, single("a"), "test")
    assert store.get(name, logits=True) is None
    store.put(name, answer, single("a"), "test")
    store.put(name, bare, single("a"), "test")
    assert equal(store.get(name, logits=True), answer)
    store.path(name).write_bytes(b"broken")
    store.put(name, bare, single("a"), "test")
    assert equal(store.get(name), answer, logits=False)
    store.path(name).unlink()
    monkeypatch.setattr(files, "WAIT_LIMIT_S", 0)
    with pytest.raises(
        StockpotError, match=f"{name}.*is gone or broken.*rm -f .*same command"
    ):
        _ = answers(tmp_path, name).correct


def test_an_entry_without_logits_does_not_serve_those_who_want_them(answer, tmp_path):
    store = Store(tmp_path)
    short = predictions(answer.logits, torch.arange(20) % 5, keep_logits=False)
    store.put("ab12", short, single("a"), "test")
    assert store.get("ab12", logits=True) is None
    assert equal(store.get("ab12"), answer, logits=False)


def test_the_same_entry_is_the_same_file(answer, tmp_path):
    """Any number of jobs may write at once; the same key always gets the same content."""
    contents = set()
    for i in range(8):
        store = Store(tmp_path / str(i))
        store.put("ab12", answer, single("a"), "test")
        contents.add(store.path("ab12").read_bytes())
    assert len(contents) == 1


def test_the_key_follows_from_all_that_counts():
    recipe = uniform(["a", "b"])
    base = store_key(recipe, "f", "fp32")
    assert base == store_key(uniform(["b", "a"]), "f", "fp32")
    assert base == store_key(json.loads(json.dumps(recipe)), "f", "fp32")
    others = [
        store_key(uniform(["a", "c"]), "f", "fp32"),
        store_key(uniform(["a", "b"], rule="logit-ensemble"), "f", "fp32"),
        store_key(interpolate(single("a"), single("b"), 0.4), "f", "fp32"),
        store_key(single("a"), "f", "fp32"),
        store_key(recipe, "g", "fp32"),
        store_key(recipe, "f", "bf16"),
    ]
    assert len({base, *others}) == 1 + len(others)


def version_in(package) -> str:
    """``store.VERSION`` as it would be with another copy of the package's code."""
    path = SCRIPTS / "stockpot/evaluation/store.py"
    spec = importlib.util.spec_from_file_location(
        "stockpot.evaluation._store_copy", path
    )
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest, "PACKAGE", package.resolve())
        spec.loader.exec_module(module)
    return module.VERSION


@pytest.mark.parametrize(
    "file",
    [
        "evaluation/engine.py",
        "merging/linear.py",
        "models/tower.py",
        "models/load.py",
        "evaluation/predictions.py",
        "evaluation/evaluator.py",
    ],
)
def test_the_key_counts_the_code_that_computes_an_entry(package_copy, file):
    """evaluator.py mixes the logits of ensembles, predictions.py makes the entry of logits."""
    edited = package_copy(f"stockpot/{file}", lambda text: text + "\n\nprint()\n")
    assert version_in(edited) != version_in(package_copy())


def test_the_key_does_not_count_other_code(package_copy):
    edited = package_copy(
        "stockpot/tables/measurements.py", lambda text: text + "\n\nEXTRA = 1\n"
    )
    assert version_in(edited) == version_in(package_copy())


def counted(evaluator) -> tuple[int, int]:
    return evaluator.computed, evaluator.reused


def test_computed_and_reused_are_counted(folders, shas, test_set, sketch, tmp_path):
    recipes = [
        single(shas["zero"]),
        single(shas["a"]),
        uniform([shas["zero"], shas["a"]]),
    ]
    first = evaluator_of(folders, tmp_path)
    answers = [first.predictions(r, d) for r in recipes for d in (test_set, sketch)]
    assert counted(first) == (6, 0)
    first.predictions(recipes[0], test_set)
    assert counted(first) == (6, 1)
    second = evaluator_of(folders, tmp_path)
    again = [second.predictions(r, d) for r in recipes for d in (test_set, sketch)]
    assert counted(second) == (0, 6)
    assert second._engines == {}, "a job that only reuses loads no model"
    for (name, found), (other, expected) in zip(again, answers):
        assert name == other
        assert equal(found, expected)
    third = evaluator_of(folders, tmp_path)
    third.predictions(uniform([shas["zero"], shas["b"]]), test_set)
    third.predictions(recipes[2], test_set)
    assert counted(third) == (1, 1)


def test_an_answer_is_that_of_the_logits(folders, shas, test_set, tmp_path):
    evaluator = evaluator_of(folders, tmp_path)
    name, found = evaluator.predictions(single(shas["a"]), test_set)
    assert name == store_key(single(shas["a"]), test_set.fingerprint, "fp32")
    logits = plain(folders["a"], test_set)
    assert close(found.logits, logits)
    assert found.predicted.tolist() == logits.argmax(1).tolist()
    assert found.k == int((logits.argmax(1).numpy() == test_set.labels).sum())


@pytest.mark.parametrize(
    "content", [b"", b"garbage " * 50, None, "other tensors", "half"]
)
def test_a_broken_entry_is_computed_again(folders, shas, test_set, tmp_path, content):
    first = evaluator_of(folders, tmp_path)
    name, expected = first.predictions(single(shas["a"]), test_set)
    path = Store(tmp_path).path(name)
    data = path.read_bytes()
    if content == "other tensors":
        save_file({"logits": torch.zeros(3)}, path)
    elif content == "half":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(data[:-1] if content is None else content)
    second = evaluator_of(folders, tmp_path)
    assert equal(second.predictions(single(shas["a"]), test_set)[1], expected)
    assert counted(second) == (1, 0)
    third = evaluator_of(folders, tmp_path)
    assert equal(third.predictions(single(shas["a"]), test_set)[1], expected)
    assert counted(third) == (0, 1), "the entry is whole again"


def test_an_entry_without_logits_is_computed_again_when_they_are_wanted(
    folders, shas, test_set, tmp_path
):
    without = evaluator_of(folders, tmp_path, store_logits=False)
    assert without.predictions(single(shas["a"]), test_set)[1].logits is None
    wanting = evaluator_of(folders, tmp_path)
    assert wanting.predictions(single(shas["a"]), test_set)[1].logits is not None
    assert counted(wanting) == (1, 0)
    for store_logits in (True, False):
        again = evaluator_of(folders, tmp_path, store_logits=store_logits)
        found = again.predictions(single(shas["a"]), test_set)[1]
        assert counted(again) == (0, 1)
        assert (found.logits is not None) == store_logits


def test_precisions_do_not_serve_each_other(folders, shas, test_set, tmp_path):
    evaluator_of(folders, tmp_path).predictions(single(shas["a"]), test_set)
    other = evaluator_of(folders, tmp_path, precision="bf16")
    other.predictions(single(shas["a"]), test_set)
    assert counted(other) == (1, 0)


@pytest.mark.parametrize(
    ("precision", "fast", "expected"),
    [("bf16", False, 1), ("bf16", True, 0), ("fp32", False, 0)],
)
def test_slow_bf16_is_said_once(
    folders,
    shas,
    test_set,
    sketch,
    tmp_path,
    monkeypatch,
    caplog,
    precision,
    fast,
    expected,
):
    monkeypatch.setattr(
        "stockpot.evaluation.evaluator.fast_at_bf16", lambda device: fast
    )
    evaluator = evaluator_of(folders, tmp_path, precision=precision)
    for data in (test_set, sketch, sketch):
        evaluator.predictions(single(shas["a"]), data)
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "bf16 is slow" in line]) == expected


def test_data_sets_of_one_name_do_not_serve_each_other(
    folders, shas, test_set, sketch, tmp_path
):
    evaluator = evaluator_of(folders, tmp_path)
    evaluator.predictions(single(shas["a"]), test_set)
    write_dataset(
        tmp_path / "twin", "test", sketch.images, sketch.labels, sketch.class_names, {}
    )
    found = evaluator.predictions(single(shas["a"]), read_dataset(tmp_path / "twin"))[1]
    assert counted(evaluator) == (2, 0)
    assert found.n == len(sketch)


@pytest.mark.parametrize("stored", ["all", "some", "none", "without logits"])
def test_an_ensemble_is_the_mean_of_logits(folders, shas, test_set, tmp_path, stored):
    names = ["a", "b", "linear"]
    recipe = uniform([shas[name] for name in names], rule="logit-ensemble")
    before = evaluator_of(folders, tmp_path, store_logits=stored != "without logits")
    for name in {"all": names, "some": names[:1], "none": [], "without logits": names}[
        stored
    ]:
        before.predictions(single(shas[name]), test_set)
    evaluator = evaluator_of(folders, tmp_path)
    found = evaluator.predictions(recipe, test_set)[1]
    logits = [plain(folders[name], test_set).double() for name in names]
    expected = torch.stack(logits).mean(0).float()
    assert close(found.logits, expected)
    assert found.k == int((expected.argmax(1).numpy() == test_set.labels).sum())
    assert evaluator.computed == 1
    soup = evaluator.predictions(uniform([shas[name] for name in names]), test_set)[1]
    assert not close(soup.logits, found.logits, 1e-4), "not the mean of weights"


def test_an_ensemble_reads_its_members_from_the_store(
    folders, shas, test_set, tmp_path
):
    recipe = uniform([shas["a"], shas["b"]], rule="logit-ensemble")
    evaluator = evaluator_of(folders, tmp_path)
    for name in ("a", "b"):
        evaluator.predictions(single(shas[name]), test_set)
    later = evaluator_of(folders, tmp_path)
    later.predictions(recipe, test_set)
    assert not later._engines


def test_a_diverged_run_is_passed_over(folders, shas, world, test_set, tmp_path):
    """It may be among the classifiers as long as no recipe names it."""
    spec = {**run_spec("a"), "name": "hot", "lr": 1e37, "epochs": 2}
    run(
        spec,
        world["train"],
        world["held-out"],
        folders["zero"],
        tmp_path / "hot",
        "code",
    )
    assert read_card(tmp_path / "hot").status.startswith("diverged")
    evaluator = evaluator_of({**folders, "hot": tmp_path / "hot"}, tmp_path / "store")
    evaluator.predictions(single(shas["a"]), test_set)
    out = tmp_path / "hot.json"
    member = {"name": "hot", "kind": "end-to-end", "end": "hot"}
    evaluate_models(
        {**SPEC, "members": [member], "alphas": [0.0, 1.0]},
        zero_shot=folders["zero"],
        models={"hot": tmp_path / "hot"},
        classifiers=[folders["zero"], tmp_path / "hot"],
        datasets=[world["test"]],
        store=Store(tmp_path / "store"),
        out=out,
    )
    family = json.loads(out.read_text())
    assert family["cells"] == []
    assert family["status"]["hot"].startswith("diverged")


def family(folders, world, root, name, alphas, end=None, sets=("test", "sketch")):
    """Evaluate one model, or the sweep towards it, as the workflow does; its cells."""
    member = {"name": name, "kind": "end-to-end", "end": name}
    out = root / f"{name}.json"
    evaluate_models(
        {**SPEC, "members": [member], "alphas": alphas},
        zero_shot=folders["zero"] if alphas else None,
        models={name: end or folders[name]},
        classifiers=list(folders.values()),
        datasets=[world[s] for s in sets],
        store=Store(root / "store"),
        out=out,
    )
    found = json.loads(out.read_text())
    assert found["status"] == {name: "ok"}
    return found["cells"]


def entries(root) -> set[str]:
    return {path.stem for path in (root / "store").rglob("*.safetensors")}


def test_ends_of_a_sweep_are_the_models_themselves(folders, world, tmp_path):
    zero, own = (family(folders, world, tmp_path, name, []) for name in ("zero", "a"))
    stored = entries(tmp_path)
    assert stored == {cell["key"] for cell in [*zero, *own]}
    assert len(stored) == 4
    sweep = family(folders, world, tmp_path, "a", ALPHAS)
    assert [cell["alpha"] for cell in sweep] == [
        alpha for alpha in ALPHAS for _ in range(2)
    ]
    ends = {alpha: [c for c in sweep if c["alpha"] == alpha] for alpha in (0.0, 1.0)}
    for alpha, cells in ((0.0, zero), (1.0, own)):
        for name in ("key", "dataset", "n", "k"):
            assert [cell[name] for cell in ends[alpha]] == [
                cell[name] for cell in cells
            ]
    assert len(entries(tmp_path) - stored) == 2 * 3, "the alphas between the ends"


def test_an_alpha_more_costs_its_cells_alone(folders, world, tmp_path):
    family(folders, world, tmp_path, "a", [0.0, 0.5, 1.0])
    before = entries(tmp_path)
    cells = family(folders, world, tmp_path, "a", [0.0, 0.5, 0.6, 1.0])
    new = entries(tmp_path) - before
    assert new == {cell["key"] for cell in cells if cell["alpha"] == 0.6}
    assert len(new) == 2


def test_a_data_set_more_costs_its_cells_alone(folders, world, tmp_path):
    family(folders, world, tmp_path, "a", [0.5], sets=["test"])
    before = entries(tmp_path)
    cells = family(folders, world, tmp_path, "a", [0.5])
    new = entries(tmp_path) - before
    assert new == {cell["key"] for cell in cells if cell["dataset"] == "sketch"}
    assert len(new) == 1


def test_cells_say_what_they_are(folders, shas, world, test_set, tmp_path):
    (own,) = family(folders, world, tmp_path, "a", [], sets=["test"])
    (middle,) = family(folders, world, tmp_path, "a", [0.5], sets=["test"])
    assert {k: own[k] for k in ("model", "kind", "sweep", "alpha", "dataset", "n")} == {
        "model": "a",
        "kind": "end-to-end",
        "sweep": "",
        "alpha": None,
        "dataset": "test",
        "n": len(test_set),
    }
    assert own["precision"] == middle["precision"] == "fp32"
    assert middle["model"] == "a alpha=0.5"
    assert middle["sweep"] == "a"
    assert middle["kind"] == "wise-ft"
    assert middle["alpha"] == 0.5
    for cell in (own, middle):
        assert cell["k"] == answers(tmp_path / "store", cell["key"]).correct.sum()
        assert cell["classes"] == 16
    expected = plain(
        folders["zero"], test_set, blended(folders, {"zero": 0.5, "a": 0.5})
    )
    assert middle["k"] == int((expected.argmax(1).numpy() == test_set.labels).sum())


def test_a_sweep_towards_a_soup(folders, shas, world, test_set, tmp_path):
    recipe = {**uniform([shas["a"], shas["b"]]), "name": "soup", "trace": [1]}
    soup = tmp_path / "soup-0.json"
    write_sealed(soup, recipe)
    assert read_recipe(soup) == uniform([shas["a"], shas["b"]])
    (own,) = family(folders, world, tmp_path, "soup", [], end=soup, sets=["test"])
    cells = family(
        folders, world, tmp_path, "soup", [0.5, 1.0], end=soup, sets=["test"]
    )
    mixed = blended(folders, {"zero": 0.5, "a": 0.25, "b": 0.25})
    expected = plain(folders["zero"], test_set, mixed)
    assert cells[0]["k"] == int((expected.argmax(1).numpy() == test_set.labels).sum())
    assert cells[1]["key"] == own["key"]


def test_a_classifier_by_itself_needs_no_others(runs, world, tmp_path):
    cells = family({"scratch": runs["scratch"]}, world, tmp_path, "scratch", [])
    assert [cell["dataset"] for cell in cells] == ["test", "sketch"]


def test_points_of_a_sweep_have_names_of_their_own(folders, shas):
    """Tables tell them apart by the model's name."""
    alphas = [0.12, 0.123, 0.125, 0.5]
    member = {"name": "a", "kind": "end-to-end", "end": "a"}
    found = labelled_recipes(member, alphas, folders["zero"], folders["a"])
    assert [recipe["ingredients"][shas["a"]] for _, recipe in found] == alphas
    assert len({labels["model"] for labels, _ in found}) == len(alphas)


def adversarial(folder, pool, adversary, images):
    write_adversarial(folder, {"name": "hard", "images": images}, pool, adversary)
    return read_dataset(folder)


@pytest.mark.parametrize("adversary", ["scratch", "a"])
def test_an_adversarial_set_holds_only_mistakes(runs, test_set, tmp_path, adversary):
    wrong = plain(runs[adversary], test_set).argmax(1).numpy() != test_set.labels
    count = int(wrong.sum()) - 1
    found = adversarial(tmp_path, test_set, runs[adversary], count)
    assert len(found) == count
    assert found.name == "hard"
    assert found.class_names == test_set.class_names
    again = plain(runs[adversary], found).argmax(1).numpy()
    assert (again != found.labels).all()
    rows = np.flatnonzero(wrong)[:count]
    assert (found.images == test_set.images[rows]).all()
    assert (found.labels == test_set.labels[rows]).all()
    card = json.loads((tmp_path / "dataset.json").read_text())
    assert card["source"]["pool_wrong"] == pytest.approx(wrong.mean())
    last = read_card(runs[adversary]).history[-1]
    share = 100 * last["held_out_k"] / last["held_out_n"]
    assert card["source"]["adversary_held_out"] == pytest.approx(share)


def test_a_pool_that_is_too_small_is_named(runs, test_set, tmp_path):
    wrong = int((plain(runs["a"], test_set).argmax(1).numpy() != test_set.labels).sum())
    with pytest.raises(StockpotError, match=r"^datasets\.hard\.images: ") as error:
        adversarial(tmp_path / "out", test_set, runs["a"], wrong + 1)
    for part in (
        f"{wrong + 1} wanted",
        f"only {wrong} of the 64",
        "test",
        "enlarge the pool",
    ):
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_diverged_adversary_is_named(runs, test_set, tmp_path):
    folder = shutil.copytree(runs["scratch"], tmp_path / "hot")
    write_card(folder, replace(read_card(runs["scratch"]), status="diverged (nan)"))
    with pytest.raises(StockpotError, match="diverged"):
        adversarial(tmp_path / "out", test_set, folder, 1)


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep/file.txt"

    def fail_half_way():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert list(path.parent.iterdir()) == []
    with atomic(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_the_same_weights_behind_other_preprocessing_are_another_model(
    world, zero_shot, tmp_path
):
    """Else its predictions would be served from the store."""
    from dataclasses import replace

    from stockpot.models.card import read_card
    from stockpot.models.classifier import Weights, write_classifier

    weights, card = Weights(zero_shot), read_card(zero_shot)
    tensors = {name: weights[name] for name in weights.names}
    shas = {card.sha256}
    for change in (
        {"mean": [0.4, 0.4, 0.4]},
        {"std": [0.3, 0.3, 0.3]},
        {"normalise": False},
        {"class_names": card.class_names[::-1]},
    ):
        other = write_classifier(
            tmp_path / str(len(shas)), replace(card, **change), tensors
        )
        assert other.tower_sha256 == card.tower_sha256
        shas.add(other.sha256)
    assert len(shas) == 5
    assert (
        write_classifier(tmp_path / "same", replace(card, name="x"), tensors).sha256
        in shas
    )
