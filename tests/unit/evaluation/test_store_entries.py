"""What the store keeps of an entry, and what counts for its key."""

import importlib.util
import json
from dataclasses import replace

import pytest
import torch

from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.store import Store, store_key
from stockpot.evaluation.stored_predictions import answers
from stockpot.merging.recipe import interpolate, single, uniform
from stockpot.runtime import atomic_files as files
from stockpot.runtime import code_digest as digest
from stockpot.runtime.errors import StockpotError
from tests.support.evaluated_models import equal_answers
from tests.support.paths import SCRIPTS

pytestmark = pytest.mark.slow


@pytest.fixture
def random_answer():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20, 5, generator=generator)
    return predictions(logits, torch.arange(20) % 5, keep_logits=True)


def test_the_store_keeps_what_it_is_given(random_answer, tmp_path):
    store, name = Store(tmp_path), store_key(single("a"), "f", "fp32")
    assert store.get(name) is None
    store.put(name, random_answer, single("a"), "test")
    assert equal_answers(store.get(name, logits=True), random_answer)
    assert equal_answers(store.get(name), random_answer, logits=False)
    assert store.get(name).logits is None
    assert (answers(tmp_path, name).correct == random_answer.correct.numpy()).all()
    assert store.path(name).relative_to(tmp_path).parts == (
        name[:2],
        f"{name}.safetensors",
    )
    assert [p.name for p in store.path(name).parent.iterdir()] == [
        f"{name}.safetensors"
    ]


def test_an_entry_never_loses_its_logits(random_answer, tmp_path, monkeypatch):
    """Two jobs may compute one cell at once, one of them without a use for logits."""
    store, name = Store(tmp_path), store_key(single("a"), "f", "fp32")
    bare = replace(random_answer, logits=None)
    store.put(name, bare, single("a"), "test")
    assert store.get(name, logits=True) is None
    store.put(name, random_answer, single("a"), "test")
    store.put(name, bare, single("a"), "test")
    assert equal_answers(store.get(name, logits=True), random_answer)
    store.path(name).write_bytes(b"broken")
    store.put(name, bare, single("a"), "test")
    assert equal_answers(store.get(name), random_answer, logits=False)
    store.path(name).unlink()
    monkeypatch.setattr(files, "WAIT_LIMIT_S", 0)
    with pytest.raises(
        StockpotError, match=f"{name}.*is gone or broken.*rm -f .*same command"
    ):
        _ = answers(tmp_path, name).correct


def test_an_entry_without_logits_does_not_serve_those_who_want_them(
    random_answer, tmp_path
):
    store = Store(tmp_path)
    short = predictions(random_answer.logits, torch.arange(20) % 5, keep_logits=False)
    store.put("ab12", short, single("a"), "test")
    assert store.get("ab12", logits=True) is None
    assert equal_answers(store.get("ab12"), random_answer, logits=False)


def test_the_same_entry_is_the_same_file(random_answer, tmp_path):
    """Any number of jobs may write at once; the same key always gets the same content."""
    contents = set()
    for i in range(8):
        store = Store(tmp_path / str(i))
        store.put("ab12", random_answer, single("a"), "test")
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
