"""The analysis joint, against direct computation on a small study."""

import pytest

from stockpot import analyses
from tests.support.synthetic_study import (
    ALPHAS,
    SHIFTS,
    check_interval,
    only_row,
    small_study,
    tabulate,
)

pytestmark = pytest.mark.slow


def test_joint_training_is_compared_with_every_alpha(study, tables):
    table = tables["joint"]
    assert set(table["sweep"]) == {"base"}, "the sweep with shots is not compared"
    assert set(table["joint_run"]) == {"both"}
    assert set(table["second_dataset"]) == {"sketch"}
    assert len(table) == len(ALPHAS) * 4
    for on, sets in {"small": ["small"], "mean of shifts": SHIFTS}.items():
        found = only_row(table, alpha=0.75, dataset=on)
        mix, run = (
            [study.is_correct(m, d) for d in sets] for m in ("base alpha=0.75", "both")
        )
        check_interval(
            found["difference"], found["low"], found["high"], [(1, mix), (-1, run)]
        )
        assert found["accuracy"] == pytest.approx(
            study.mean_accuracy("base alpha=0.75", *sets)
        )
        assert found["joint_accuracy"] == pytest.approx(
            study.mean_accuracy("both", *sets)
        )
    cell = only_row(analyses.short_table_of("joint")(table), dataset="test")
    assert cell["sweep"] == "base, alpha 0.5"
    assert cell["joint"] == f"{100 * study.mean_accuracy('both', 'test'):.1f}"


def test_a_sweep_to_the_joint_run_itself_is_none_that_has_seen_no_shift(tmp_path):
    study = small_study(tmp_path, ["base", "both"], ["base", "both"])
    assert set(tabulate("joint", study.evidence())["sweep"]) == {"base"}
