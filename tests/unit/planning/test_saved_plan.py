"""A plan is read back from its file with its types, or not at all."""

import pytest

from stockpot.planning import build_plan
from stockpot.planning.model_jobs import ModelJob, RunJob
from stockpot.planning.plan import Plan
from stockpot.planning.saved_plan import load_plan, read_plan, save_plan, to_json
from stockpot.runtime.digest import short
from stockpot.runtime.sealed import write_sealed
from tests.support.damaged_bytes import flip_a_bit, rewrite_bytes
from tests.support.paths import ROOT


def test_a_saved_plan_is_the_plan(config, tmp_path):
    """What a job on another node takes instead of looking at the data again."""
    plan, file = (
        build_plan.build(config, lambda path: ROOT / path),
        tmp_path / "plan.json",
    )
    assert load_plan(file, config) is None
    save_plan(plan, file, config)
    assert load_plan(file, config) == plan
    assert load_plan(file, config | {"threads": 7}) is None
    file.write_text("{")
    assert load_plan(file, config) is None


@pytest.mark.parametrize("change", [{"plan": {"another": 1}}, {"plan": None}, {}])
def test_a_plan_of_another_version_is_none(config, tmp_path, change):
    file = tmp_path / "plan.json"
    write_sealed(file, {"config": short(config), **change})
    assert load_plan(file, config) is None


def test_a_plan_is_read_back_with_its_types(embedded_plan):
    assert read_plan(to_json(embedded_plan)) == embedded_plan


@pytest.mark.parametrize(
    "change",
    [
        {"runs": {"a": {"type": "RunJob", "id": "a"}}},
        {"runs": {"a": {"type": "Unknown"}}},
        {"counts": {"train": "many"}},
        {"counts": None},
        {"more": 1},
    ],
)
def test_a_plan_of_other_types_is_refused(embedded_plan, change):
    with pytest.raises((KeyError, TypeError, AttributeError)):
        read_plan({**to_json(embedded_plan), **change})


def test_a_damaged_plan_is_planned_anew(tmp_path):
    file, config = tmp_path / "plan.json", {"study": "x"}
    model = ModelJob("m-1", "1", {}, {}, {}, has_text=True)
    run = RunJob(
        "a", {"lr": 1}, "train", "held-out", ("zero-shot",), (), averages=False
    )
    save_plan(Plan(config, model, runs={"a": run}), file, config)
    assert load_plan(file, config).runs == {"a": run}
    for change in (
        flip_a_bit(40),
        lambda c: c[:-9],
        lambda c: b"",
        lambda c: b"[]",
        lambda c: b"7",
    ):
        whole = file.read_bytes()
        rewrite_bytes(file, change)
        assert load_plan(file, config) is None
        file.write_bytes(whole)
