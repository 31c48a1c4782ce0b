"""The evaluator: what is computed, what is reused, and what serves whom."""

import pytest
import torch
from safetensors.torch import save_file

from stockpot.datasets.dataset import read_dataset, write_dataset
from stockpot.evaluation.store import Store, store_key
from stockpot.merging.recipe import single, uniform
from tests.support.evaluated_models import (
    all_close,
    equal_answers,
    evaluator_of,
    plain_logits,
)

pytestmark = pytest.mark.slow


def counts_of(evaluator) -> tuple[int, int]:
    return evaluator.computed, evaluator.reused


def test_computed_and_reused_are_counted(
    one_start_folders, sha_of, reference_set, sketch_set, tmp_path
):
    recipes = [
        single(sha_of["zero"]),
        single(sha_of["a"]),
        uniform([sha_of["zero"], sha_of["a"]]),
    ]
    first = evaluator_of(one_start_folders, tmp_path)
    answers = [
        first.predictions(r, d) for r in recipes for d in (reference_set, sketch_set)
    ]
    assert counts_of(first) == (6, 0)
    first.predictions(recipes[0], reference_set)
    assert counts_of(first) == (6, 1)
    second = evaluator_of(one_start_folders, tmp_path)
    again = [
        second.predictions(r, d) for r in recipes for d in (reference_set, sketch_set)
    ]
    assert counts_of(second) == (0, 6)
    assert second._engines == {}, "a job that only reuses loads no model"
    for (name, found), (other, expected) in zip(again, answers):
        assert name == other
        assert equal_answers(found, expected)
    third = evaluator_of(one_start_folders, tmp_path)
    third.predictions(uniform([sha_of["zero"], sha_of["b"]]), reference_set)
    third.predictions(recipes[2], reference_set)
    assert counts_of(third) == (1, 1)


def test_an_answer_is_that_of_the_logits(
    one_start_folders, sha_of, reference_set, tmp_path
):
    evaluator = evaluator_of(one_start_folders, tmp_path)
    name, found = evaluator.predictions(single(sha_of["a"]), reference_set)
    assert name == store_key(single(sha_of["a"]), reference_set.fingerprint, "fp32")
    logits = plain_logits(one_start_folders["a"], reference_set)
    assert all_close(found.logits, logits)
    assert found.predicted.tolist() == logits.argmax(1).tolist()
    assert found.k == int((logits.argmax(1).numpy() == reference_set.labels).sum())


@pytest.mark.parametrize(
    "content", [b"", b"garbage " * 50, None, "other tensors", "half"]
)
def test_a_broken_entry_is_computed_again(
    one_start_folders, sha_of, reference_set, tmp_path, content
):
    first = evaluator_of(one_start_folders, tmp_path)
    name, expected = first.predictions(single(sha_of["a"]), reference_set)
    path = Store(tmp_path).path(name)
    data = path.read_bytes()
    if content == "other tensors":
        save_file({"logits": torch.zeros(3)}, path)
    elif content == "half":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.write_bytes(data[:-1] if content is None else content)
    second = evaluator_of(one_start_folders, tmp_path)
    assert equal_answers(
        second.predictions(single(sha_of["a"]), reference_set)[1], expected
    )
    assert counts_of(second) == (1, 0)
    third = evaluator_of(one_start_folders, tmp_path)
    assert equal_answers(
        third.predictions(single(sha_of["a"]), reference_set)[1], expected
    )
    assert counts_of(third) == (0, 1), "the entry is whole again"


def test_an_entry_without_logits_is_computed_again_when_they_are_wanted(
    one_start_folders, sha_of, reference_set, tmp_path
):
    without = evaluator_of(one_start_folders, tmp_path, store_logits=False)
    assert without.predictions(single(sha_of["a"]), reference_set)[1].logits is None
    wanting = evaluator_of(one_start_folders, tmp_path)
    assert wanting.predictions(single(sha_of["a"]), reference_set)[1].logits is not None
    assert counts_of(wanting) == (1, 0)
    for store_logits in (True, False):
        again = evaluator_of(one_start_folders, tmp_path, store_logits=store_logits)
        found = again.predictions(single(sha_of["a"]), reference_set)[1]
        assert counts_of(again) == (0, 1)
        assert (found.logits is not None) == store_logits


def test_precisions_do_not_serve_each_other(
    one_start_folders, sha_of, reference_set, tmp_path
):
    evaluator_of(one_start_folders, tmp_path).predictions(
        single(sha_of["a"]), reference_set
    )
    other = evaluator_of(one_start_folders, tmp_path, precision="bf16")
    other.predictions(single(sha_of["a"]), reference_set)
    assert counts_of(other) == (1, 0)


@pytest.mark.parametrize(
    ("precision", "fast", "expected"),
    [("bf16", False, 1), ("bf16", True, 0), ("fp32", False, 0)],
)
def test_slow_bf16_is_said_once(
    one_start_folders,
    sha_of,
    reference_set,
    sketch_set,
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
    evaluator = evaluator_of(one_start_folders, tmp_path, precision=precision)
    for data in (reference_set, sketch_set, sketch_set):
        evaluator.predictions(single(sha_of["a"]), data)
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "bf16 is slow" in line]) == expected


def test_data_sets_of_one_name_do_not_serve_each_other(
    one_start_folders, sha_of, reference_set, sketch_set, tmp_path
):
    evaluator = evaluator_of(one_start_folders, tmp_path)
    evaluator.predictions(single(sha_of["a"]), reference_set)
    write_dataset(
        tmp_path / "twin",
        "test",
        sketch_set.images,
        sketch_set.labels,
        sketch_set.class_names,
        {},
    )
    found = evaluator.predictions(single(sha_of["a"]), read_dataset(tmp_path / "twin"))[
        1
    ]
    assert counts_of(evaluator) == (2, 0)
    assert found.n == len(sketch_set)


@pytest.mark.parametrize("stored", ["all", "some", "none", "without logits"])
def test_an_ensemble_is_the_mean_of_logits(
    one_start_folders, sha_of, reference_set, tmp_path, stored
):
    names = ["a", "b", "linear"]
    recipe = uniform([sha_of[name] for name in names], rule="logit-ensemble")
    before = evaluator_of(
        one_start_folders, tmp_path, store_logits=stored != "without logits"
    )
    for name in {"all": names, "some": names[:1], "none": [], "without logits": names}[
        stored
    ]:
        before.predictions(single(sha_of[name]), reference_set)
    evaluator = evaluator_of(one_start_folders, tmp_path)
    found = evaluator.predictions(recipe, reference_set)[1]
    logits = [
        plain_logits(one_start_folders[name], reference_set).double() for name in names
    ]
    expected = torch.stack(logits).mean(0).float()
    assert all_close(found.logits, expected)
    assert found.k == int((expected.argmax(1).numpy() == reference_set.labels).sum())
    assert evaluator.computed == 1
    soup = evaluator.predictions(
        uniform([sha_of[name] for name in names]), reference_set
    )[1]
    assert not all_close(soup.logits, found.logits, 1e-4), "not the mean of weights"


def test_an_ensemble_reads_its_members_from_the_store(
    one_start_folders, sha_of, reference_set, tmp_path
):
    recipe = uniform([sha_of["a"], sha_of["b"]], rule="logit-ensemble")
    evaluator = evaluator_of(one_start_folders, tmp_path)
    for name in ("a", "b"):
        evaluator.predictions(single(sha_of[name]), reference_set)
    later = evaluator_of(one_start_folders, tmp_path)
    later.predictions(recipe, reference_set)
    assert not later._engines


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
