"""Measurements and robustness of a small study of plain accuracies."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from stockpot.statistics import robustness
from stockpot.statistics.intervals import clopper_pearson, mean_interval
from stockpot.tables.main_table import overview
from stockpot.tables.measurements import (
    COLUMNS,
    measure,
    paired_accuracies,
    read_table,
    robustness_table,
)
from tests.support.small_study_cells import SMALL_STUDY_ROLES, small_study_cells


def test_measurements_have_the_mean_and_do_not_depend_on_the_order(measurements):
    assert list(measurements.columns) == COLUMNS
    shuffled = small_study_cells().sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        measure(shuffled, SMALL_STUDY_ROLES, 0.95), measurements
    )
    run = measurements[measurements["model"] == "run"].set_index("dataset")
    assert run.index.tolist() == ["val", "ref", "b", "a", "shifts"]
    mean = run.loc["shifts"]
    assert (mean["value"], mean["n"], mean["role"]) == (
        pytest.approx(0.55),
        300,
        "mean",
    )
    assert pd.isna(mean["k"])
    assert run.loc["a", "k"] == 100
    assert (mean["low"], mean["high"]) == mean_interval([100, 60], [200, 100], 0.95)
    assert run.loc["b", "low"] == clopper_pearson(60, 100, 0.95)[0]
    assert run.loc[["b", "a"], "chance"].tolist() == [0.25, 0.1]
    assert mean["chance"] == pytest.approx((1 / 4 + 1 / 10) / 2)
    assert (measurements["low"] <= measurements["value"]).all()
    assert (measurements["value"] <= measurements["high"]).all()
    kinds = measurements["kind"].unique().tolist()
    assert kinds == ["zero-shot", "end-to-end", "wise-ft", "from-scratch", "new-rule"]


def test_no_mean_without_all_shifts():
    table = small_study_cells()
    table = table[(table["model"] != "run") | (table["dataset"] != "a")]
    found = measure(table, SMALL_STUDY_ROLES, 0.95)
    assert "run" not in found.loc[found["role"] == "mean", "model"].tolist()
    assert "stew" in found.loc[found["role"] == "mean", "model"].tolist()


def test_measure_refuses_what_it_cannot_place():
    with pytest.raises(ValueError, match="without a role: .*'ref'"):
        measure(
            small_study_cells(), {"a": "shift", "b": "shift", "val": "held-out"}, 0.95
        )
    with pytest.raises(ValueError, match="measured twice: .*'scratch-0'"):
        measure(
            pd.concat([small_study_cells(), small_study_cells().head(1)]),
            SMALL_STUDY_ROLES,
            0.95,
        )
    with pytest.raises(ValueError, match="no data set may be named 'shifts'"):
        measure(small_study_cells(), {**SMALL_STUDY_ROLES, "shifts": "shift"}, 0.95)


def test_measurements_survive_csv(measurements, tmp_path):
    measurements.to_csv(tmp_path / "m.csv", index=False)
    back = read_table(tmp_path / "m.csv")
    assert (back["sweep"] == measurements["sweep"]).all()
    assert back["alpha"].equals(measurements["alpha"])
    assert back["value"].equals(measurements["value"])
    pd.testing.assert_frame_equal(overview(back), overview(measurements))


def test_robustness_table_is_the_fit_and_the_height_above_it(measurements):
    fits, rho = robustness_table(measurements, "logit", 0.95)
    assert fits["dataset"].tolist() == ["b", "a", "shifts"]
    assert (fits["n"] == 4).all()
    assert np.allclose(fits["slope"], 0.5, atol=0.1)
    assert (fits["r"] > 0.95).all()
    assert len(rho) == 3 * len(paired_accuracies(measurements, "a"))
    fit = fits.set_index("dataset").loc["b"]
    row = rho[(rho["model"] == "run") & (rho["dataset"] == "b")].iloc[0]
    predicted = expit(fit["slope"] * logit(0.9) + fit["intercept"])
    assert row["effective_robustness"] == pytest.approx(0.6 - predicted)
    assert (rho["low"] < rho["effective_robustness"]).all()
    assert (rho["effective_robustness"] < rho["high"]).all()


def test_robustness_table_draws_all_that_is_uncertain(measurements):
    """The mean's interval from its parts: lines of the means, both shifts, the reference."""
    _, rho = robustness_table(measurements, "logit", 0.9)
    row = rho[(rho["model"] == "zero-shot") & (rho["dataset"] == "shifts")].iloc[0]
    mean = paired_accuracies(measurements, "shifts").query("kind == 'from-scratch'")
    lines = robustness.resampled_lines(mean["reference_value"], mean["value"])
    expected = robustness.effective_robustness_interval(
        lines, (0.7, 100), ([0.7, 0.65], [200, 100]), 0.9
    )
    assert (row["low"], row["high"]) == expected
    run = rho[(rho["model"] == "run") & (rho["dataset"] == "b")].iloc[0]
    low, high = clopper_pearson(60, 100, 0.9)
    assert run["high"] - run["low"] > high - low, "wider than the accuracy's own"


@pytest.mark.slow
def test_robustness_table_does_not_depend_on_the_order_or_on_other_models(measurements):
    key = ["model", "dataset"]
    _, rho = robustness_table(measurements, "logit", 0.95)
    others = measurements[~measurements["model"].isin(["stew", "run alpha=0.25"])]
    _, fewer = robustness_table(others.sample(frac=1, random_state=1), "logit", 0.95)
    rho, fewer = (table.set_index(key).sort_index() for table in (rho, fewer))
    pd.testing.assert_frame_equal(rho.loc[fewer.index], fewer)


def test_robustness_table_without_a_line_is_empty(measurements):
    """No baseline, two that are left, or three of one reference accuracy."""
    fits, rho = robustness_table(
        measurements[measurements["kind"] != "from-scratch"], "logit", 0.95
    )
    assert len(fits) == len(rho) == 0
    assert "effective_robustness" in rho
    assert "slope" in fits
    few = measurements[~measurements["model"].isin(["scratch-0", "scratch-1"])]
    assert [len(table) for table in robustness_table(few, "logit", 0.95)] == [0, 0]
    same = measurements.copy()
    line = (same["kind"] == "from-scratch") & (same["dataset"] == "ref")
    same.loc[line, "value"] = 0.5
    assert [len(table) for table in robustness_table(same, "logit", 0.95)] == [0, 0]
