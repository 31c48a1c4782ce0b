"""Measurements of a study whose data sets have different metrics."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from stockpot.statistics.intervals import clopper_pearson, mean_interval, tail_quantiles
from stockpot.tables.measurements import measure, published_cells, robustness_table
from tests.support.mixed_metric_cells import (
    EXAMPLES,
    MIXED_METRIC_ROLES,
    PUBLISHED_ACCURACIES,
    measured_cell,
)


def test_counts_get_clopper_pearson_and_the_others_their_bootstrap(mixed_cells):
    found = (
        measure(mixed_cells, MIXED_METRIC_ROLES, 0.9)
        .set_index(["model", "dataset"])
        .loc["run"]
    )
    low, high = clopper_pearson(0.75 * EXAMPLES, EXAMPLES, 0.9)
    assert found.loc["acc", ["low", "high"]].tolist() == [low, high]
    assert found.loc["acc", "interval_type"] == "Clopper-Pearson"
    assert found.loc["f1", ["value", "low", "high"]].tolist() == pytest.approx(
        [0.6, 0.54, 0.66]
    )
    assert found.loc["f1", "interval_type"] == "bootstrap"
    assert pd.isna(found.loc["f1", "k"])
    assert found["metric"].to_dict() == {
        "ref": "accuracy",
        "acc": "accuracy",
        "f1": "macro-f1",
        "shifts": "mean",
    }


def test_a_study_where_nothing_is_counted_can_be_measured(mixed_cells):
    """Then JSON has null alone under k."""
    rows = mixed_cells[mixed_cells["dataset"] == "f1"].to_dict("records")
    table = pd.DataFrame(
        [{**r, "k": None, "dataset": d} for r in rows for d in ("ref", "f1")]
    )
    found = measure(table, {"ref": "reference", "f1": "shift"}, 0.95)
    assert (found["interval_type"] == "bootstrap").all()
    assert found["k"].isna().all()
    assert set(found["metric"]) == {"macro-f1", "mean"}
    mean = found[(found["dataset"] == "shifts") & (found["model"] == "run")].iloc[0]
    assert [mean["low"], mean["high"]] == pytest.approx([0.54, 0.66]), (
        "the mean of one shift"
    )


def test_published_numbers_have_no_interval_and_the_metric_of_their_data_set(
    mixed_cells,
):
    table = pd.concat(
        [mixed_cells, published_cells(PUBLISHED_ACCURACIES)], ignore_index=True
    )
    found = measure(table, MIXED_METRIC_ROLES, 0.95)
    found = found[found["model"].str.startswith("net-")]
    assert len(found) == 12
    assert (found["interval_type"] == "not known").all()
    assert found[["low", "high", "n", "k"]].isna().all(axis=None)
    assert found.groupby("dataset")["metric"].unique().str.join(" ").to_dict() == {
        "acc": "accuracy",
        "f1": "macro-f1",
        "ref": "accuracy",
        "shifts": "mean",
    }
    assert found[found["dataset"] == "shifts"]["value"].tolist() == pytest.approx(
        [0.4, 0.5, 0.6]
    )


def equivalent_examples(half, value=0.6, confidence=0.95):
    from scipy.stats import norm

    return value * (1 - value) * (norm.ppf(tail_quantiles(confidence)[1]) / half) ** 2


def test_the_mean_of_mixed_metrics_has_the_width_of_both(mixed_cells):
    found = (
        measure(mixed_cells, MIXED_METRIC_ROLES, 0.95)
        .set_index(["model", "dataset"])
        .loc["run", :]
    )
    mean = found.loc["shifts"]
    assert mean["value"] == pytest.approx((0.75 + 0.6) / 2)
    assert (mean["interval_type"], mean["n"]) == ("stratified bootstrap", 2 * EXAMPLES)
    n = np.array([EXAMPLES, round(equivalent_examples(0.06))])
    low, high = mean_interval(np.array([0.75, 0.6]) * n, n, 0.95)
    assert [mean["low"], mean["high"]] == pytest.approx([low, high], abs=0.002)
    rng = np.random.default_rng(0)
    sampled = (
        rng.binomial(EXAMPLES, 0.75, 40_000) / EXAMPLES
        + rng.normal(0.6, 0.06 / 1.96, 40_000)
    ) / 2
    expected = np.quantile(sampled, tail_quantiles(0.95))
    assert [mean["low"], mean["high"]] == pytest.approx(expected.tolist(), abs=0.006)


def test_a_mean_that_lacks_an_n_has_no_interval(mixed_cells):
    table = mixed_cells.copy()
    gone = (table["model"] == "run") & (table["dataset"] == "acc")
    table.loc[gone, ["n", "k"]] = np.nan
    found = (
        measure(table, MIXED_METRIC_ROLES, 0.95)
        .set_index(["model", "dataset"])
        .loc["run"]
    )
    assert (
        found.loc["acc", "interval_type"]
        == found.loc["shifts", "interval_type"]
        == "not known"
    )
    assert pd.isna(found.loc["shifts", "low"])
    assert pd.isna(found.loc["shifts", "n"])


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_bootstrap_without_width_counts_its_examples(mixed_cells, value):
    """F1 of 0 or 1 in every resampling tells of no equivalent n."""
    table = mixed_cells.copy()
    table.loc[table["dataset"] == "f1", ["value", "low", "high"]] = value
    found = measure(table, MIXED_METRIC_ROLES, 0.95)
    mean = found[(found["dataset"] == "shifts") & (found["model"] == "run")].iloc[0]
    low, high = mean_interval([0.75 * EXAMPLES, value * EXAMPLES], [EXAMPLES, EXAMPLES])
    assert (mean["low"], mean["high"]) == (low, high)
    _, rho = robustness_table(found[found["dataset"] != "shifts"], "linear", 0.95)
    assert rho.loc[rho["dataset"] == "f1", ["low", "high"]].notna().all(axis=None)


@pytest.mark.parametrize("half", [0.03, 0.1])
def test_effective_robustness_on_a_bootstrapped_set_is_as_wide_as_its_interval(half):
    """Simulated: on a line that is known well, F1 varies as its own interval says."""
    rows = []
    for i, x in enumerate(np.linspace(-1, 1.5, 12)):
        for dataset in ("ref", "f1"):
            rows.append(
                measured_cell(f"s{i}", "from-scratch", dataset, expit(x), n=10**6)
            )
    rows += [measured_cell("run", "end-to-end", "ref", 0.7, n=10**6)]
    rows += [measured_cell("run", "end-to-end", "f1", 0.6, n=10**6, half=half)]
    roles = {"ref": "reference", "f1": "shift"}
    found = measure(pd.DataFrame(rows), roles, 0.95)
    _, rho = robustness_table(found, "logit", 0.95)
    got = rho[(rho["model"] == "run") & (rho["dataset"] == "f1")].iloc[0]
    assert got["effective_robustness"] == pytest.approx(-0.1, abs=0.002)
    sampled = np.random.default_rng(1).normal(0.6 - 0.7, half / 1.96, 50_000)
    low, high = np.quantile(sampled, tail_quantiles(0.95))
    assert got["high"] - got["low"] == pytest.approx(high - low, rel=0.06)
    assert [got["low"], got["high"]] == pytest.approx([low, high], abs=0.01)
    mean = rho[(rho["model"] == "run") & (rho["dataset"] == "shifts")].iloc[0]
    assert (mean["low"], mean["high"]) == (got["low"], got["high"]), (
        "the mean of one shift"
    )
