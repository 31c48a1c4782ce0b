"""The figure methods, of a large study."""

import pandas as pd
import pytest

from stockpot import figures
from stockpot.figures import methods
from tests.support import large_tables as large
from tests.support.legible_text import illegible

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def many_runs_tables() -> dict[str, pd.DataFrame]:
    return large.study_tables(large.cells(runs=72))


@pytest.mark.parametrize(("runs", "long"), [(72, False), (30, True)])
def test_every_model_is_in_view_or_counted_as_outside(runs, long):
    tables = large.study_tables(large.cells(runs=runs, shifts=2, long=long))
    figure, data = figures.load("methods")(tables, {})
    assert illegible(figure) == []
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    single = data[data["sweep"] == ""]
    inside = single["reference_value"].between(low, high)
    below = " ".join(text.get_text() for text in figure.texts).replace("\n", " ")
    outside_count = int((~inside).sum())
    assert ("Left of view" in below) == (outside_count > 0)
    if outside_count > methods.NAMED_OUTSIDE:
        assert f"and {outside_count - methods.NAMED_OUTSIDE} more" in below
    named = {text.get_text() for text in axes.texts}
    unnamed = int(inside.sum()) - len(named)
    assert (f"No room for {unnamed} more names" in below) == (unnamed > 0)
    assert {"uniform", "greedy", "ensemble"} <= named


def test_the_view_holds_a_study_of_low_accuracies_and_few_images():
    cells = large.cells(runs=9, shifts=2, n=54)
    cells["k"] = (cells["k"] * 0.3).round().astype(int)
    figure, data = figures.load("methods")(large.study_tables(cells), {})
    low, _ = figure.axes[0].get_xlim()
    single = data[(data["sweep"] == "") & (data["kind"] != "zero-shot")]
    inside = single["reference_value"] >= low
    assert inside.sum() >= len(single) - 1, "one run of the nine diverged"
    assert inside[single["value"].idxmax()], "the best under shift"


def test_a_span_that_is_given_is_kept(many_runs_tables):
    figure, data = figures.load("methods")(many_runs_tables, {"points_below_best": 2.0})
    best = data.loc[data["sweep"] == "", "reference_value"].max()
    assert figure.axes[0].get_xlim()[0] > best - 0.03
