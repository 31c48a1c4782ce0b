"""The figure cost, of a small study and of large ones."""

import pytest

from tests.support import large_tables as large
from tests.support.drawn_text import draw_figure, drawn_words, figure_of
from tests.support.legible_text import illegible

pytestmark = pytest.mark.slow


def test_cost_leaves_out_what_has_no_whole_time(analysis_tables):
    figure, _ = draw_figure("cost", analysis_tables["cost"])
    assert "uniform" in drawn_words(figure)
    assert "greedy" not in drawn_words(figure)


def test_cost_names_soups_and_the_best_run_of_many():
    table = large.cost(72)
    figure = figure_of("cost", table)
    best = (
        table.loc[table["kind"] == "end-to-end"]
        .set_index("model")["gain_over_best_run_shifts"]
        .idxmax()
    )
    for axes in figure.axes:
        assert {text.get_text() for text in axes.texts} == {
            "uniform",
            "greedy",
            "ensemble",
            best,
        }
    assert illegible(figure) == []
    few = {text.get_text() for text in figure_of("cost", large.cost(8)).axes[0].texts}
    assert len(few) == 11
