"""The analysis comparisons, against direct computation on a small study."""

import numpy as np
import pytest
from scipy.stats import binomtest

from stockpot import analyses
from tests.support import large_tables as large
from tests.support.synthetic_study import (
    RUNS,
    SHIFTS,
    check_interval,
    only_row,
    small_study,
    tabulate,
)

pytestmark = pytest.mark.slow


def test_comparisons_test_the_same_examples(study, tables):
    table = tables["comparisons"]
    best = max(RUNS, key=lambda m: study.mean_accuracy(m, "held-out"))
    assert set(table["against"]) == {best, "zero-shot"}
    singles = {m for m in study.models if m in study.logits} - {best, "zero-shot"}
    assert set(table["model"]) == singles | {"base alpha=0.5", "few alpha=0.5", best}
    assert table.loc[table["model"] == best, "against"].unique().tolist() == [
        "zero-shot"
    ]
    for on, sets in [("test", ["test"]), ("mean of shifts", SHIFTS)]:
        found = only_row(table, model="greedy", against="zero-shot", dataset=on)
        terms = [
            [study.is_correct(m, d) for d in sets] for m in ("greedy", "zero-shot")
        ]
        check_interval(
            found["difference"],
            found["low"],
            found["high"],
            [(1, terms[0]), (-1, terms[1])],
        )
        assert found["n"] == sum(map(len, terms[0]))
    here, there = (study.is_correct(m, "small") for m in ("linear", "zero-shot"))
    p = binomtest(int((here & ~there).sum()), int((here ^ there).sum())).pvalue
    assert only_row(table, model="linear", against="zero-shot", dataset="small")[
        "p"
    ] == pytest.approx(p)
    ordered = table.sort_values("p")
    holm = np.maximum.accumulate(ordered["p"] * np.arange(len(table), 0, -1)).clip(
        upper=1
    )
    assert np.allclose(ordered["p_corrected"], holm)
    short = analyses.short_table_of("comparisons")(table)
    found = only_row(
        table, model="uniform", against="zero-shot", dataset="mean of shifts"
    )
    text = only_row(
        short, model="uniform", against="zero-shot", dataset="mean of shifts"
    )["difference"]
    assert (
        text
        == f"{100 * found.difference:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    )
    assert set(short["dataset"]) == {"test", "mean of shifts"}


def test_pairs_that_are_given_are_compared_and_no_others(study):
    given = [["base alpha=0.5", "linear"]]
    table = tabulate("comparisons", study.evidence(), {"pairs": given})
    assert table[["model", "against"]].drop_duplicates().to_numpy().tolist() == given
    gain = study.mean_accuracy("base alpha=0.5", "small") - study.mean_accuracy(
        "linear", "small"
    )
    assert only_row(table, dataset="small")["difference"] == pytest.approx(gain)


def test_one_run_is_compared_with_the_zero_shot_model(tmp_path):
    table = tabulate("comparisons", small_study(tmp_path, ["base"]).evidence())
    assert set(zip(table["model"], table["against"])) == {("base", "zero-shot")}


def test_the_page_of_comparisons_has_the_best_first():
    table = analyses.short_table_of("comparisons")(large.comparisons(30))
    own = table[
        (table["against"] == "zero-shot") & (table["dataset"] == "mean of shifts")
    ]
    differences = [float(text.split()[0]) for text in own["difference"]]
    assert len(own) == 33
    assert differences == sorted(differences, reverse=True)
