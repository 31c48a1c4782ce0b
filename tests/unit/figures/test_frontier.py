"""The figure frontier, of a small study."""

import pytest

from tests.support.drawn_text import draw_figure

pytestmark = pytest.mark.slow


def test_frontier_has_a_dot_per_model_at_its_gap(analysis_tables):
    figure, _ = draw_figure("frontier", analysis_tables["frontier"])
    axes = figure.axes[0]
    dots = {
        round(line.get_ydata()[0]): line.get_xdata()[0]
        for line in axes.lines
        if line.get_marker() == "o"
    }
    labels = [label.get_text() for label in axes.get_yticklabels()]
    for found in analysis_tables["frontier"].itertuples():
        assert dots[labels.index(found.model)] == pytest.approx(
            100 * found.gap_to_sweep
        )
    assert len(dots) == len(analysis_tables["frontier"])
