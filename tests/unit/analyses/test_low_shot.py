"""The analysis low-shot, against direct computation on a small study."""

import pytest

from stockpot import analyses
from tests.support.synthetic_study import (
    ALPHAS,
    SHOWN_SETS,
    check_interval,
    only_row,
    small_study,
    tabulate,
)

pytestmark = pytest.mark.slow


def test_low_shot_mixes_are_compared_with_both_ends(study, tables):
    table = tables["low-shot"]
    assert list(table["run"].unique()) == ["few", "base"]
    assert list(table["shots"].drop_duplicates().fillna(-1)) == [4, -1]
    models = {a: f"few alpha={a:g}" for a in ALPHAS}
    held_out = {a: study.mean_accuracy(m, "held-out") for a, m in models.items()}
    near = max(held_out.values()) - 0.01
    wanted = {
        "half": 0.5,
        "held-out": max(ALPHAS, key=held_out.get),
        "within-point": min(a for a in ALPHAS if held_out[a] >= near),
    }
    for selector, alpha in wanted.items():
        for on, sets in SHOWN_SETS.items():
            found = only_row(table, run="few", selector=selector, dataset=on)
            assert found["alpha"] == alpha
            means = {
                m: study.mean_accuracy(m, *sets)
                for m in (models[alpha], "zero-shot", "few")
            }
            assert found[
                ["accuracy", "zero_shot", "target"]
            ].to_list() == pytest.approx(list(means.values()))
            better = max(("zero-shot", "few"), key=means.get)
            for what, other in {
                "zero_shot": "zero-shot",
                "target": "few",
                "better_end": better,
            }.items():
                ends = (
                    found[f"gain_over_{what}{end}"] for end in ("", "_low", "_high")
                )
                terms = [
                    [study.is_correct(m, d) for d in sets]
                    for m in (models[alpha], other)
                ]
                check_interval(*ends, [(1, terms[0]), (-1, terms[1])])
    cell = only_row(
        analyses.short_table_of("low-shot")(table),
        run="few",
        selector="half",
        dataset="reference",
    )
    assert (cell["shots"], cell["alpha"]) == ("4", "0.5")
    assert (
        cell["accuracy"] == f"{100 * study.mean_accuracy('few alpha=0.5', 'test'):.1f}"
    )


def test_the_run_on_all_images_beside_few_shots_has_seen_no_shift(tmp_path):
    runs = ["both", "few", "long"]
    table = tabulate("low-shot", small_study(tmp_path, runs, runs).evidence())
    assert list(table["run"].unique()) == ["few", "long"]
