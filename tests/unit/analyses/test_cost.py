"""The analysis cost, against direct computation on a small study."""

import numpy as np
import pandas as pd
import pytest

from stockpot import analyses
from tests.support.synthetic_study import (
    LOGIT_GAINS,
    RUNS,
    SHIFTS,
    small_study,
    tabulate,
    write_benchmark,
)

pytestmark = pytest.mark.slow


def test_cost_adds_the_jobs_that_a_model_follows_from(study, tables):
    table = tables["cost"].set_index("model")
    assert set(table.index) == {"base", "few", "long", "uniform", "ensemble", "greedy"}
    assert table.loc[
        "base", ["job_seconds", "total_seconds", "memory_mib"]
    ].to_list() == [
        11,
        11,
        200,
    ]
    assert table.loc["few", "total_seconds"] == 4 + 11, "it starts from base"
    assert np.isnan(table.loc["few", "memory_mib"])
    assert table.loc["uniform", "total_seconds"] == 1 + 11 + 20
    assert table.loc["ensemble", "total_seconds"] == 2 + 4 + 11, "base counts once"
    assert np.isnan(table.loc["greedy", "total_seconds"]), (
        "the time of both is not known"
    )
    assert table.loc["uniform", "training_images"] == 1000 + 2000
    assert table.loc["few", "training_images"] == 4000 + 1000
    assert table["forward_passes"].to_dict() == {
        "base": 1,
        "few": 1,
        "long": 1,
        "uniform": 1,
        "greedy": 1,
        "ensemble": 2,
    }
    best = max(RUNS, key=lambda m: study.mean_accuracy(m, "held-out"))
    gain = study.mean_accuracy("uniform", *SHIFTS) - study.mean_accuracy(best, *SHIFTS)
    assert table.loc["uniform", "gain_over_best_run_shifts"] == pytest.approx(gain)
    short = analyses.short_table_of("cost")(tables["cost"]).set_index("model")
    assert short.loc["uniform", "with ingredients, s"] == "32.0"
    assert short.loc["greedy", "with ingredients, s"] == ""
    assert short.loc["few", "memory, MiB"] == ""
    assert short.loc["uniform", "shifts, points"] == f"{100 * gain:+.1f}"
    assert short.loc["few", "images trained on"] == "5,000"


def test_cost_without_an_end_to_end_run_has_no_gain_to_show(tmp_path):
    study = small_study(tmp_path)
    study.add("linear", "linear-classifier", study.draw(*LOGIT_GAINS["linear"]))
    write_benchmark(tmp_path, "linear-1", ("5", "80"))
    table = tabulate("cost", study.evidence())
    assert table["gain_over_best_run_reference"].isna().all()
    assert analyses.short_table_of("cost")(table).loc[0, "reference, points"] == ""


def test_cost_does_not_count_images_that_a_checkpoint_was_trained_on(tmp_path):
    """They are unknown, and with them the sum of a soup that has the checkpoint."""
    study = small_study(tmp_path)
    for name, images in (("known", 5_000), ("checkpoint", None)):
        logits = study.draw(*LOGIT_GAINS["base"])
        study.add(name, "end-to-end", logits, images=images)
    ingredients = ["known", "checkpoint"]
    logits = study.draw(*LOGIT_GAINS["uniform"])
    study.add("soup", "uniform", logits, ingredients=ingredients)
    for name in ("known", "checkpoint", "soup"):
        write_benchmark(tmp_path, f"{name}-1", ("5", "80"))
    table = tabulate("cost", study.evidence())
    file = tmp_path / "cost.csv"
    table.to_csv(file, index=False)
    for shown in (table, pd.read_csv(file)):
        short = analyses.short_table_of("cost")(shown).set_index("model")
        texts = short["images trained on"].to_dict()
        assert texts == {"known": "5,000", "checkpoint": "", "soup": ""}
    assert list(pd.read_csv(file, dtype=str)["training_images"].fillna("")) == [
        "5000",
        "",
        "",
    ]
