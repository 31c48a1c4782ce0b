"""A plan is read back from its file with its types, or not at all."""

import pytest

from stockpot.planning import build_plan
from stockpot.planning.saved_plan import load_plan, read_plan, save_plan, to_json
from stockpot.runtime.digest import short
from stockpot.runtime.sealed import write_sealed
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
