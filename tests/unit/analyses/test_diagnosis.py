"""The analysis diagnosis, against direct computation on a small study."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

from stockpot import analyses
from stockpot.runtime.sealed import write_sealed
from tests.support.synthetic_study import (
    GREEDY_TRACE,
    RUNS,
    UPDATES,
    check_interval,
    coefficients_by_name,
    diagnosis_table,
    only_row,
    small_study,
)

pytestmark = pytest.mark.slow


def conclusions(table: pd.DataFrame) -> str:
    return " ".join(analyses.short_table_of("diagnosis")(table)["conclusion"])


def test_diagnosis_mixes_each_two_and_all(study):
    recipes = {
        labels["model"]: (labels, coefficients_by_name(recipe))
        for labels, recipe in study.recipes("diagnosis")
    }
    assert len(recipes) == 4 + 6 + 1
    assert recipes["alone few"] == (
        {"model": "alone few", "run": "few", "other_run": "few"},
        {"few": 1},
    )
    labels, coefficients = recipes["mean of base and long"]
    assert (labels["run"], labels["other_run"], coefficients) == (
        "base",
        "long",
        {"base": 0.5, "long": 0.5},
    )
    assert recipes["mean of all"][1] == dict.fromkeys(RUNS, 0.25)


def test_diagnosis_mixes_nothing_where_no_run_is_left(study):
    assert study.recipes("diagnosis", runs=[]) == []


def test_diagnosis_measures_by_hand(study, tables):
    table = tables["diagnosis"]
    norms = {name: np.linalg.norm(v) for name, v in UPDATES.items()}
    for name in RUNS:
        found = only_row(table, row_type="update_norm", model=name)["value"]
        assert found == pytest.approx(norms[name] / np.median(list(norms.values())))
        alone = only_row(table, row_type="accuracy", model=name)
        k = int(study.is_correct(name, "held-out").sum())
        assert (alone["value"], alone["n"]) == (pytest.approx(k / 120), 120)
        ends = beta.ppf([0.025, 0.975], [k, k + 1], [121 - k, 120 - k])
        assert [alone["low"], alone["high"]] == pytest.approx(list(ends))
    for one, other in combinations(RUNS, 2):
        cosine = UPDATES[one] @ UPDATES[other] / norms[one] / norms[other]
        found = only_row(table, row_type="cosine", model=one, other_model=other)[
            "value"
        ]
        assert found == pytest.approx(cosine)
        found = only_row(table, row_type="barrier", model=one, other_model=other)
        mix = (
            study.mixed_logits({one: 0.5, other: 0.5}, "held-out").argmax(1)
            == study.labels["held-out"]
        )
        ends = [study.is_correct(m, "held-out") for m in (one, other)]
        terms = [(0.5, [ends[0]]), (0.5, [ends[1]]), (-1, [mix])]
        check_interval(*(found[c] / 100 for c in ("value", "low", "high")), terms)
    steps = table[table["row_type"] == "greedy_step"]
    assert list(steps["model"]) == ["long", "base", "both", "few"]
    assert list(steps["text"]) == ["accepted", "accepted", "rejected", "rejected"]
    assert steps["value"].to_list() == pytest.approx(
        [110 / 120, 112 / 120, 111 / 120, 0.5]
    )
    text = conclusions(table)
    assert "The greedy soup kept 2 of 4: long, base." in text
    assert "The runs have different initial weights (base, zero-shot)" in text
    assert (
        len(analyses.short_table_of("diagnosis")(table))
        == (table["row_type"] == "conclusion").sum()
    )


def test_the_finding_about_the_mean_of_all_is_the_paired_difference(study, tables):
    best = max(RUNS, key=lambda m: study.mean_accuracy(m, "held-out"))
    mix = (
        study.mixed_logits(dict.fromkeys(RUNS, 0.25), "held-out").argmax(1)
        == study.labels["held-out"]
    )
    d = 100 * (mix.mean() - study.mean_accuracy(best, "held-out"))
    text = conclusions(tables["diagnosis"])
    assert f"the best ingredient ({best}) on held-out data: {d:+.1f} points [" in text


def test_a_soup_that_is_named_is_looked_at_alone(study):
    recipes = study.recipe_files
    table = diagnosis_table(study, RUNS, recipes=recipes, soup="uniform")
    assert list(table.loc[table["row_type"] == "accuracy", "model"]) == ["base", "long"]
    assert "All 2 runs have the same initial weights (zero-shot)" in conclusions(table)
    assert "greedy_step" not in set(table["row_type"]), "a uniform soup has no trace"


def test_an_ingredient_that_is_far_off_is_named(study):
    vectors = UPDATES | {"long": 40 * UPDATES["base"]}
    table = diagnosis_table(study, RUNS, vectors)
    norms = table[table["row_type"] == "update_norm"].set_index("model")["value"]
    assert norms["long"] > 3
    assert (norms.drop("long") < 3).all()
    found = only_row(table[table["row_type"] == "conclusion"], model="long")
    assert (
        f"long moved {norms['long']:.1f} times as far from its initial weights"
        in found["text"]
    )
    assert "No update is unusually long" not in conclusions(table)
    text_without_long_updates = conclusions(diagnosis_table(study, ["base", "both"]))
    assert (
        "No update is unusually long (0.8 to 1.2 times the median)"
        in text_without_long_updates
    )


def test_updates_that_point_away_from_each_other_are_named(study):
    opposed = {
        "base": np.array([1.0, 0]),
        "both": np.array([-1.0, 1]),
        "long": np.array([0, 1.0]),
    }
    text = conclusions(diagnosis_table(study, ["base", "both", "long"], opposed))
    assert (
        "The updates of base and both point away from each other (cosine -0.71)" in text
    )
    aligned = opposed | {"both": np.array([1.0, 1])}
    text = conclusions(diagnosis_table(study, ["base", "both", "long"], aligned))
    assert "the cosines are between 0.00 and 0.71" in text
    assert "away from each other" not in text


def test_an_ingredient_that_mixes_badly_and_is_bad_is_named(tmp_path):
    """The bad one is sure of wrong answers, so that every mean with it fails."""
    runs = ["base", "both", "long"]
    study = small_study(tmp_path, runs)
    bad = {d: 30 * np.eye(4)[(y + 1) % 4] for d, y in study.labels.items()}
    study.add("bad", "end-to-end", bad, settings={})
    vectors = {**{name: UPDATES[name] for name in runs}, "bad": np.ones(4)}
    table = diagnosis_table(study, [*runs, "bad"], vectors)
    about = table[(table["row_type"] == "conclusion") & (table["model"] == "bad")][
        "text"
    ].to_list()
    assert len(about) == 2
    assert "3 of 6 pairs have a barrier above 1 points" in about[0]
    assert "All these pairs contain bad: leave it out." in about[0]
    best = max(runs, key=lambda m: study.mean_accuracy(m, "held-out"))
    gap = 100 * study.mean_accuracy(best, "held-out")
    assert f"bad is {gap:.1f} points worse than {best} on held-out data" in about[1]
    assert "The mean of all 4 is worse than the best ingredient" in conclusions(table)
    table_without_barriers = diagnosis_table(study, runs, max_barrier=100.0)
    assert "No pair has a barrier above 100 points; the highest is" in conclusions(
        table_without_barriers
    )


def test_one_barrier_alone_is_blamed_on_neither_of_its_two(tmp_path):
    study = small_study(tmp_path, ["base"])
    study.add(
        "negated",
        "end-to-end",
        {d: -x for d, x in study.logits["base"].items()},
        settings={},
    )
    vectors = {"base": np.array([1.0, 0]), "negated": np.array([0.0, 1])}
    table = diagnosis_table(study, ["base", "negated"], vectors, max_barrier=0.0)
    found = table[table["text"].str.contains("barrier above 0 points; the highest")]
    assert list(found["model"]) == [""]


def test_the_trace_of_a_learned_soup_is_none_of_greedy_steps(study, tmp_path):
    recipe = {"rule": "linear", "ingredients": {}, "trace": [1.2, 1.1, 1.0]}
    path = tmp_path / "learned.json"
    write_sealed(path, recipe | {"ingredient_names": dict.fromkeys(RUNS, "sha")})
    table = diagnosis_table(
        study, RUNS, recipes={"a-learned": path, **study.recipe_files}
    )
    assert "The greedy soup kept 2 of 4" in conclusions(table)


def test_the_trace_of_a_greedy_ensemble_is_none_of_a_soup(study, tmp_path):
    recipe = {"rule": "logit-ensemble", "ingredients": {}, "trace": GREEDY_TRACE}
    path = tmp_path / "ensemble.json"
    write_sealed(path, recipe | {"ingredient_names": dict.fromkeys(RUNS, "sha")})
    table = diagnosis_table(study, RUNS, recipes={"chosen": path})
    assert "greedy_step" not in set(table["row_type"])
    assert "The greedy soup" not in conclusions(table)
