"""One model or the sweep towards it, evaluated as the workflow does."""

import json

import pytest

from stockpot.evaluation.evaluate_models import (
    evaluate_models,
    labelled_recipes,
    read_recipe,
)
from stockpot.evaluation.store import Store
from stockpot.evaluation.stored_predictions import answers
from stockpot.merging.recipe import single, uniform
from stockpot.models.card import read_card
from stockpot.runtime.sealed import write_sealed
from stockpot.training.run import run
from tests.support.evaluated_models import (
    ALPHAS,
    ENGINE_SPEC,
    evaluator_of,
    mixed_by_hand,
    plain_logits,
)
from tests.support.short_runs import run_spec

pytestmark = pytest.mark.slow


def test_a_diverged_run_is_passed_over(
    one_start_folders, sha_of, world, reference_set, tmp_path
):
    """It may be among the classifiers as long as no recipe names it."""
    spec = {**run_spec("a"), "name": "hot", "lr": 1e37, "epochs": 2}
    run(
        spec,
        world["train"],
        world["held-out"],
        one_start_folders["zero"],
        tmp_path / "hot",
        "code",
    )
    assert read_card(tmp_path / "hot").status.startswith("diverged")
    evaluator = evaluator_of(
        {**one_start_folders, "hot": tmp_path / "hot"}, tmp_path / "store"
    )
    evaluator.predictions(single(sha_of["a"]), reference_set)
    out = tmp_path / "hot.json"
    member = {"name": "hot", "kind": "end-to-end", "end": "hot"}
    evaluate_models(
        {**ENGINE_SPEC, "members": [member], "alphas": [0.0, 1.0]},
        zero_shot=one_start_folders["zero"],
        models={"hot": tmp_path / "hot"},
        classifiers=[one_start_folders["zero"], tmp_path / "hot"],
        datasets=[world["test"]],
        store=Store(tmp_path / "store"),
        out=out,
    )
    family = json.loads(out.read_text())
    assert family["cells"] == []
    assert family["status"]["hot"].startswith("diverged")


def evaluated_cells(
    folders, world, root, name, alphas, end=None, sets=("test", "sketch")
):
    """Evaluate one model, or the sweep towards it, as the workflow does; its cells."""
    member = {"name": name, "kind": "end-to-end", "end": name}
    out = root / f"{name}.json"
    evaluate_models(
        {**ENGINE_SPEC, "members": [member], "alphas": alphas},
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


def stored_keys(root) -> set[str]:
    return {path.stem for path in (root / "store").rglob("*.safetensors")}


def test_ends_of_a_sweep_are_the_models_themselves(one_start_folders, world, tmp_path):
    zero, own = (
        evaluated_cells(one_start_folders, world, tmp_path, name, [])
        for name in ("zero", "a")
    )
    stored = stored_keys(tmp_path)
    assert stored == {cell["key"] for cell in [*zero, *own]}
    assert len(stored) == 4
    sweep = evaluated_cells(one_start_folders, world, tmp_path, "a", ALPHAS)
    assert [cell["alpha"] for cell in sweep] == [
        alpha for alpha in ALPHAS for _ in range(2)
    ]
    ends = {alpha: [c for c in sweep if c["alpha"] == alpha] for alpha in (0.0, 1.0)}
    for alpha, cells in ((0.0, zero), (1.0, own)):
        for name in ("key", "dataset", "n", "k"):
            assert [cell[name] for cell in ends[alpha]] == [
                cell[name] for cell in cells
            ]
    assert len(stored_keys(tmp_path) - stored) == 2 * 3, "the alphas between the ends"


def test_an_alpha_more_costs_its_cells_alone(one_start_folders, world, tmp_path):
    evaluated_cells(one_start_folders, world, tmp_path, "a", [0.0, 0.5, 1.0])
    before = stored_keys(tmp_path)
    cells = evaluated_cells(
        one_start_folders, world, tmp_path, "a", [0.0, 0.5, 0.6, 1.0]
    )
    new = stored_keys(tmp_path) - before
    assert new == {cell["key"] for cell in cells if cell["alpha"] == 0.6}
    assert len(new) == 2


def test_a_data_set_more_costs_its_cells_alone(one_start_folders, world, tmp_path):
    evaluated_cells(one_start_folders, world, tmp_path, "a", [0.5], sets=["test"])
    before = stored_keys(tmp_path)
    cells = evaluated_cells(one_start_folders, world, tmp_path, "a", [0.5])
    new = stored_keys(tmp_path) - before
    assert new == {cell["key"] for cell in cells if cell["dataset"] == "sketch"}
    assert len(new) == 1


def test_cells_say_what_they_are(
    one_start_folders, sha_of, world, reference_set, tmp_path
):
    (own,) = evaluated_cells(one_start_folders, world, tmp_path, "a", [], sets=["test"])
    (middle,) = evaluated_cells(
        one_start_folders, world, tmp_path, "a", [0.5], sets=["test"]
    )
    assert {k: own[k] for k in ("model", "kind", "sweep", "alpha", "dataset", "n")} == {
        "model": "a",
        "kind": "end-to-end",
        "sweep": "",
        "alpha": None,
        "dataset": "test",
        "n": len(reference_set),
    }
    assert own["precision"] == middle["precision"] == "fp32"
    assert middle["model"] == "a alpha=0.5"
    assert middle["sweep"] == "a"
    assert middle["kind"] == "wise-ft"
    assert middle["alpha"] == 0.5
    for cell in (own, middle):
        assert cell["k"] == answers(tmp_path / "store", cell["key"]).correct.sum()
        assert cell["classes"] == 16
    expected = plain_logits(
        one_start_folders["zero"],
        reference_set,
        mixed_by_hand(one_start_folders, {"zero": 0.5, "a": 0.5}),
    )
    assert middle["k"] == int(
        (expected.argmax(1).numpy() == reference_set.labels).sum()
    )


def test_a_sweep_towards_a_soup(
    one_start_folders, sha_of, world, reference_set, tmp_path
):
    recipe = {**uniform([sha_of["a"], sha_of["b"]]), "name": "soup", "trace": [1]}
    soup = tmp_path / "soup-0.json"
    write_sealed(soup, recipe)
    assert read_recipe(soup) == uniform([sha_of["a"], sha_of["b"]])
    (own,) = evaluated_cells(
        one_start_folders, world, tmp_path, "soup", [], end=soup, sets=["test"]
    )
    cells = evaluated_cells(
        one_start_folders, world, tmp_path, "soup", [0.5, 1.0], end=soup, sets=["test"]
    )
    mixed = mixed_by_hand(one_start_folders, {"zero": 0.5, "a": 0.25, "b": 0.25})
    expected = plain_logits(one_start_folders["zero"], reference_set, mixed)
    assert cells[0]["k"] == int(
        (expected.argmax(1).numpy() == reference_set.labels).sum()
    )
    assert cells[1]["key"] == own["key"]


def test_a_classifier_by_itself_needs_no_others(runs, world, tmp_path):
    cells = evaluated_cells(
        {"scratch": runs["scratch"]}, world, tmp_path, "scratch", []
    )
    assert [cell["dataset"] for cell in cells] == ["test", "sketch"]


def test_points_of_a_sweep_have_names_of_their_own(one_start_folders, sha_of):
    """Tables tell them apart by the model's name."""
    alphas = [0.12, 0.123, 0.125, 0.5]
    member = {"name": "a", "kind": "end-to-end", "end": "a"}
    found = labelled_recipes(
        member, alphas, one_start_folders["zero"], one_start_folders["a"]
    )
    assert [recipe["ingredients"][sha_of["a"]] for _, recipe in found] == alphas
    assert len({labels["model"] for labels, _ in found}) == len(alphas)
