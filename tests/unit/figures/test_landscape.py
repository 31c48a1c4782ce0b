"""The figure landscape, of a small study."""

import pytest

from tests.support.drawn_text import draw_figure, texts_beyond_the_page
from tests.support.synthetic_study import only_row

pytestmark = pytest.mark.slow


def test_the_plane_has_its_three_models_where_they_are(analysis_tables):
    table = analysis_tables["landscape"]
    figure, _ = draw_figure("landscape", table)
    panel = figure.axes[0]
    star = next(line for line in panel.lines if line.get_marker() == "*")
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (0, 0)
    ends = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in panel.lines
        if line.get_marker() == "o"
    ]
    corners = (
        only_row(table, coefficient=s, other_coefficient=t) for s, t in ((1, 0), (0, 1))
    )
    assert ends == [(corner["x"], corner["y"]) for corner in corners]
    assert panel.get_aspect() == 1, "distances are true"


@pytest.mark.parametrize("column", ["train_loss", "reference_error", "shift_error"])
def test_a_level_plane_is_drawn(column, analysis_tables):
    """As where all mixes are equally right, which few examples make likely."""
    table = analysis_tables["landscape"].assign(**{column: 0.25})
    figure, _ = draw_figure("landscape", table)
    assert texts_beyond_the_page(figure) == []
