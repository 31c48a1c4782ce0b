"""The figure comparisons, of a small study and of large ones."""

import pytest

from tests.support import large_tables as large
from tests.support.drawn_text import draw_figure, figure_of
from tests.support.legible_text import illegible

pytestmark = pytest.mark.slow


def test_significance_fills_the_dots_of_comparisons(analysis_tables):
    table = analysis_tables["comparisons"]

    def filled(level):
        figure, _ = draw_figure("comparisons", table, {"significance": level})
        dots = [
            line
            for axes in figure.axes
            for line in axes.lines
            if line.get_marker() == "o"
        ]
        return sum(dot.get_markerfacecolor() != "white" for dot in dots)

    shown = table[table["dataset"].isin(["test", "mean of shifts"])]
    for level in (0.05, 0.5):
        assert filled(level) == (shown["p_corrected"] <= level).sum()
    assert filled(0.05) not in (0, len(shown)), "the study has both"


def test_comparisons_are_ordered_by_the_difference_under_shift():
    table = large.comparisons(30, long=True)
    figure = figure_of("comparisons", table)
    assert illegible(figure) == []
    shifts = figure.axes[1]
    dots = [line for line in shifts.lines if line.get_marker() == "o"]
    by_row = sorted((line.get_ydata()[0], line.get_xdata()[0]) for line in dots)
    values = [x for _, x in by_row]
    assert values == sorted(values), "the best is on top"
