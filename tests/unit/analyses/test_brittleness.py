"""The analysis brittleness, against direct computation on a small study."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from stockpot import analyses
from tests.support.synthetic_study import RUNS, SETTINGS, SHIFTS, only_row

pytestmark = pytest.mark.slow


def test_brittleness_ranks_runs_by_each_hyperparameter_that_differs(study, tables):
    table = tables["brittleness"]
    assert list(table["hyperparameter"].unique()) == ["shots", "lr", "epochs"]
    assert set(table["run"]) == set(RUNS)
    reference = [study.mean_accuracy(run, "test") for run in RUNS]
    shifts = [study.mean_accuracy(run, *SHIFTS) for run in RUNS]
    lr = [SETTINGS[run]["lr"] for run in RUNS]
    found = only_row(table, run="few", hyperparameter="lr")
    assert found["value"] == 2e-5
    assert found["held_out"] == pytest.approx(study.mean_accuracy("few", "held-out"))
    assert found["rank_correlation_reference"] == pytest.approx(
        spearmanr(lr, reference).statistic
    )
    assert found["rank_correlation_shifts"] == pytest.approx(
        spearmanr(lr, shifts).statistic
    )
    assert found["alpha_half_shifts"] == pytest.approx(
        study.mean_accuracy("few alpha=0.5", *SHIFTS)
    )
    assert np.isnan(
        only_row(table, run="long", hyperparameter="lr")["alpha_half_reference"]
    )
    short = analyses.short_table_of("brittleness")(table).set_index("statistic")
    assert short["reference"].iloc[0] == f"{100 * np.ptp(reference):.1f}"
    mixed = [
        study.mean_accuracy(f"{run} alpha=0.5", *SHIFTS) for run in ("base", "few")
    ]
    assert short["mean of shifts"].iloc[2] == f"{100 * np.ptp(mixed):.1f}"
    swept = [study.mean_accuracy(run, *SHIFTS) for run in ("base", "few")]
    assert short["mean of shifts"].iloc[1] == f"{100 * np.ptp(swept):.1f}"
    ranks = short.loc["rank correlation with lr"]
    assert ranks["reference"] == f"{spearmanr(lr, reference).statistic:+.2f}"
