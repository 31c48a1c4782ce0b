"""The analysis landscape, against direct computation on a small study."""

import numpy as np
import pytest

from stockpot import analyses
from tests.support.synthetic_study import (
    RUNS,
    TESTS,
    UPDATES,
    coefficients_by_name,
    nll,
    only_row,
)

pytestmark = pytest.mark.slow


def test_the_plane_is_through_the_two_best_runs(study):
    best = sorted(RUNS, key=lambda m: (-study.mean_accuracy(m, "held-out"), m))[:2]
    recipes = study.recipes("landscape", {"points_per_side": 4, "margin": 0.5})
    sides = sorted({*np.round(np.linspace(-0.5, 1.5, 4), 4), 0.0, 1.0})
    assert {
        (labels["coefficient"], labels["other_coefficient"]) for labels, _ in recipes
    } == {(s, t) for s in sides for t in sides if s + t <= 1.5 + 1e-9}
    for labels, recipe in recipes:
        assert [labels["run"], labels["other_run"]] == best
        s, t = labels["coefficient"], labels["other_coefficient"]
        parts = {"zero-shot": 1 - s - t, best[0]: s, best[1]: t}
        expected = {name: share for name, share in parts.items() if share}
        assert coefficients_by_name(recipe) == pytest.approx(expected)
        assert sum(coefficients_by_name(recipe).values()) == pytest.approx(1)
    given = study.recipes(
        "landscape", {"models": ["few", "base"], "points_per_side": 2}
    )
    assert (given[0][0]["run"], given[0][0]["other_run"]) == ("few", "base")
    assert study.recipes("landscape", runs=["base"]) == []


def test_distances_of_the_plane_are_those_of_the_updates(study, tables):
    table = tables["landscape"]
    one, other = table[["model", "other_model"]].iloc[0]
    u, v = UPDATES[one], UPDATES[other]
    at = {
        name: only_row(table, coefficient=s, other_coefficient=t)[["x", "y"]].to_numpy(
            float
        )
        for name, s, t in (("start", 0, 0), ("one", 1, 0), ("other", 0, 1))
    }
    length = np.linalg.norm(u)
    for a, b, distance in (
        ("start", "one", u),
        ("start", "other", v),
        ("one", "other", u - v),
    ):
        expected = np.linalg.norm(distance) / length
        assert np.linalg.norm(at[a] - at[b]) == pytest.approx(expected)
    far = only_row(table, coefficient=-0.25, other_coefficient=-0.25)
    place = far["coefficient"] * u + far["other_coefficient"] * v
    assert np.hypot(far["x"], far["y"]) == pytest.approx(np.linalg.norm(place) / length)


def test_loss_and_error_of_the_plane(study, tables):
    table = tables["landscape"]
    one, other = table[["model", "other_model"]].iloc[0]
    for found in (
        only_row(table, coefficient=0, other_coefficient=1),
        only_row(table, coefficient=0.25, other_coefficient=0.25),
        table.iloc[0],
    ):
        recipe = {
            "zero-shot": 1 - found.coefficient - found.other_coefficient,
            one: found.coefficient,
            other: found.other_coefficient,
        }
        logits = {d: study.mixed_logits(recipe, d) for d in ["train", *TESTS]}
        error = {d: (logits[d].argmax(1) != study.labels[d]).mean() for d in TESTS}
        train = nll(logits["train"].astype(float), study.labels["train"])
        assert found["train_loss"] == pytest.approx(train, rel=1e-5)
        assert found["reference_error"] == pytest.approx(error["test"])
        assert found["shift_error"] == pytest.approx(
            (error["sketch"] + error["small"]) / 2
        )
    short = analyses.short_table_of("landscape")(table)
    assert list(short["point"])[:3] == ["zero-shot", one, other]
    assert (
        short["reference error"].iloc[0]
        == f"{100 - 100 * study.mean_accuracy('zero-shot', 'test'):.1f}"
    )
    least = only_row(short, point="least shift error (oracle)")
    assert least["shift error"] == f"{100 * table['shift_error'].min():.1f}"
