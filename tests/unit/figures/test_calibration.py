"""The figure calibration, of a large study."""

import pytest

from tests.support import large_tables as large
from tests.support.drawn_text import figure_of
from tests.support.legible_text import illegible

pytestmark = pytest.mark.slow


def test_reliability_diagrams_have_a_diagonal_of_45_degrees():
    figure = figure_of("calibration", large.calibration(72, shifts=2))
    assert illegible(figure) == []
    for axes in figure.axes[1:]:
        box = axes.get_window_extent()
        assert box.width == pytest.approx(box.height, rel=0.01)
