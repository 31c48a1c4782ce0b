"""Choosing alpha: every rule by hand."""

import numpy as np
import pandas as pd
import pytest

from stockpot.alpha import selectors
from tests.support.selected_sweep import HAND_MADE_SWEEP, auto_recipe


@pytest.mark.parametrize(
    ("name", "alpha"),
    [
        ("half", 0.5),
        ("held-out", 0.75),  # the smaller of equals
        ("within-error", 0.5),  # one standard error is 0.0095
        ("within-point", 0.5),
        ("corruptions", 0.5),  # 1.636 against 1.635
        ("confidence", 0.5),
        ("agreement", 0.75),
        ("entropy", 0.5),
        ("oracle-shifts", 0.25),
        ("oracle-both", 0.5),
    ],
)
def test_every_rule_by_hand(name, alpha):
    assert selectors.choose(name, HAND_MADE_SWEEP) == alpha
    assert selectors.choose(name, HAND_MADE_SWEEP.iloc[::-1]) == alpha


def test_regret_is_what_the_best_of_the_curve_has_more():
    table = selectors.compare_selectors(HAND_MADE_SWEEP).set_index("selector")
    assert list(table.index) == selectors.names()
    assert table.loc["held-out", "regret_shifts"] == pytest.approx(0.05)
    assert table.loc["half", "regret_reference"] == pytest.approx(0.01)
    assert table.loc["oracle-shifts", "regret_both"] == pytest.approx(
        (0.90 + 0.64 - 0.88 - 0.65) / 2
    )
    assert (table.filter(like="regret") >= -1e-12).all(axis=None)
    assert table.loc["oracle-shifts", "regret_shifts"] == 0


def test_a_selector_is_used_where_its_columns_are_whole():
    few = HAND_MADE_SWEEP[["alpha", "held_out", "reference", "shifts"]]
    assert selectors.usable(few) == [
        "half",
        "held-out",
        "within-point",
        *selectors.oracles(),
    ]
    gap = HAND_MADE_SWEEP.assign(agreement=[0.7, np.nan, 0.7, 0.7, 0.4])
    assert "agreement" not in selectors.usable(gap)
    with pytest.raises(ValueError, match="agreement needs agreement, held_out"):
        selectors.choose("agreement", gap)
    with pytest.raises(
        ValueError, match="unknown selector 'best'; there are half, held-out"
    ):
        selectors.choose("best", HAND_MADE_SWEEP)


def test_selectors_do_not_see_the_test_sets():
    """Nor does any rule that is no oracle change with them."""
    other = HAND_MADE_SWEEP.assign(
        reference=HAND_MADE_SWEEP["reference"][::-1].values, shifts=0.5
    )
    for name in selectors.names():
        if name not in selectors.oracles():
            assert selectors.choose(name, other) == selectors.choose(
                name, HAND_MADE_SWEEP
            )
            assert selectors.needs(name) <= set(HAND_MADE_SWEEP) - {
                "reference",
                "shifts",
            }


def test_one_error_is_that_of_the_score():
    """Macro F1 is no share of right answers, so its own error is given."""
    assert auto_recipe(selector="within-error")[0]["alpha"] == 0.6
    recipe, _ = auto_recipe(error=0.0175, selector="within-error")
    assert recipe["alpha"] == 0.5
    assert recipe["sweep"][0]["standard_error"] == 0.0175
    sweep = pd.DataFrame(
        {"alpha": [0.0, 0.5, 1.0], "held_out": [0.40, 0.42, 0.43], "n": 10_000}
    )
    assert selectors.choose("within-error", sweep) == 1.0
    assert (
        selectors.choose("within-error", sweep.assign(standard_error=[0.2, 0.2, 0.012]))
        == 0.5
    )


def test_the_default_rule_reads_the_held_out_set_alone():
    """Where the project chooses, it knows nothing else."""
    assert selectors.DEFAULT in selectors.on_held_out()
    assert selectors.on_held_out() == ["held-out", "within-error", "within-point"]
    assert selectors.without_shifts() == ["half", *selectors.on_held_out()]


def test_a_label_says_what_a_selector_sees_of_the_test_sets():
    """Test labels make it an oracle, unlabelled test inputs make it transductive."""
    for name in selectors.names():
        label = selectors.declared(name).label
        of_unlabelled = selectors.needs(name) & {"agreement", "thresholded", "entropy"}
        assert label.endswith("(transductive)") == bool(of_unlabelled), name
        assert label.endswith("(oracle)") == (name in selectors.oracles()), name
