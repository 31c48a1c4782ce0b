"""The words for what changed between two runs of the workflow."""

import pytest

from stockpot.planning.changes import (
    changes,
    describe_changes,
    describe_code_change,
    value_text,
)
from stockpot.planning.explain import Explainer, summary_lines
from stockpot.planning.pending import pending_of
from tests.support.small_graphs import job_step

VALUES = [
    (6.0e-4, "6.0e-4"),
    (1.25e-5, "1.25e-5"),
    (0.5, "0.5"),
    (0.0, "0.0"),
    (3e8, "3.0e8"),
    (7, "7"),
    (True, "true"),
    (None, "null"),
    ("greedy", "greedy"),
    ("x" * 100, ""),
]


@pytest.mark.parametrize(
    ("value", "text"), VALUES, ids=[text or "long" for _, text in VALUES]
)
def test_values_are_written_as_in_a_config(value, text):
    assert value_text(value) == text


DIFFERENCES = [
    ({"lr": 1.0e-3}, {"lr": 2.0e-3}, ["lr 1.0e-3 -> 2.0e-3"]),
    ({}, {"mixup": 0.2}, ["mixup 0.2 is new"]),
    ({"mixup": 0.2}, {}, ["mixup 0.2 is gone"]),
    ({"tests": ["v2-11111111"]}, {"tests": ["v2-22222222"]}, []),
    ({"tests": ["a", "b"]}, {"tests": ["a", "c"]}, ["tests - b, + c"]),
    (
        {"members": [{"name": "base", "end": "base-11111111"}]},
        {
            "members": [
                {"name": "base", "end": "base-22222222"},
                {"name": "new", "end": "x"},
            ]
        },
        ["members + new"],
    ),
    (
        {"roles": [["a-11111111", "shift"]]},
        {"roles": [["b-22222222", "shift"]]},
        ["roles.a shift is gone", "roles.b shift is new"],
    ),
    ({"alphas": [0.0, 1.0]}, {"alphas": [0.0, 0.5, 1.0]}, ["alphas + 0.5"]),
    ({"files": "0123456789abcdef"}, {"files": "fedcba9876543210"}, ["files changed"]),
    ({"caption": "a" * 100}, {"caption": "b" * 100}, ["caption is another one"]),
]


@pytest.mark.parametrize(
    ("old", "new", "told"), DIFFERENCES, ids=[str(i) for i in range(10)]
)
def test_differences_in_words(old, new, told):
    assert describe_changes(changes(old, new)) == told


def test_code_in_words():
    old = {
        "training/loss.py mixup": "1",
        "training/loss.py Loss": "1",
        "models/card.py": "1",
    }
    changed = {**old, "training/loss.py mixup": "2", "training/loss.py Loss": "2"}
    assert (
        describe_code_change(old, changed)
        == "training/loss.py changed (function mixup, class Loss)"
    )
    assert (
        describe_code_change(old, {**old, "models/card.py": "2"})
        == "models/card.py changed"
    )
    assert describe_code_change(old, {**old, "models/card.py SIDE": "2"}).endswith(
        "(constant SIDE)"
    )
    assert (
        describe_code_change(None, old)
        == describe_code_change(old, old)
        == "its code changed"
    )
    many = {f"training/{name}.py": name for name in "abcdefg"}
    assert describe_code_change({}, many).endswith("and 3 more changed")


def test_a_crowd_of_jobs_takes_one_line(empty_folder):
    jobs = [job_step("finetune", f"run{i:04}-00000000") for i in range(1000)]
    found = Explainer(None, None).explain(
        pending_of(jobs, [job.outputs[0] for job in jobs])
    )
    assert summary_lines(found) == ["finetune x1000: new"]
