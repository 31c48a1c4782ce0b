"""The analysis members, against direct computation on a small study."""

import pytest

from stockpot import analyses
from tests.support.synthetic_study import check_interval, only_row

pytestmark = pytest.mark.slow


def test_members_of_soups_of_towers(study, tables):
    table = tables["members"]
    assert list(table["soup"]) == ["cross-away", "cross"], (
        "those that saw the task come last"
    )
    found = only_row(table, soup="cross")
    assert found["ingredients"] == "base + cars"
    assert found["ingredient_count"] == 2
    assert found["tasks"] == "own + cars"
    assert found["includes_own_task"]
    assert not only_row(table, soup="cross-away")["includes_own_task"]
    terms = [
        (1, [study.is_correct("cross", "test")]),
        (-1, [study.is_correct("zero-shot", "test")]),
    ]
    check_interval(found["gain_over_zero_shot"], found["low"], found["high"], terms)
    cell = only_row(
        analyses.short_table_of("members")(table), ingredients="base + cars"
    )
    assert cell["own task among them"] == "yes"
    assert cell["accuracy"] == f"{100 * study.mean_accuracy('cross', 'test'):.1f}"
