"""The figure diagnosis, of a small study and of large ones."""

import pytest

from tests.support import large_tables as large
from tests.support.drawn_text import (
    draw_figure,
    drawn_texts,
    drawn_words,
    figure_of,
    texts_beyond_the_page,
)
from tests.support.legible_text import illegible

pytestmark = pytest.mark.slow


def test_diagnosis_without_a_greedy_soup_says_so(analysis_tables):
    table = analysis_tables["diagnosis"]
    assert {"taken", "left out"} <= drawn_words(draw_figure("diagnosis", table)[0])
    figure, _ = draw_figure("diagnosis", table[table["row_type"] != "greedy_step"])
    assert "no greedy soup of these ingredients" in drawn_words(figure)
    assert texts_beyond_the_page(figure) == []


@pytest.mark.parametrize(("runs", "long"), [(29, True), (72, False)])
def test_diagnosis_of_many_has_colours_and_no_numbers(runs, long):
    figure = figure_of("diagnosis", large.diagnosis(runs, long))
    assert illegible(figure) == []
    assert figure.get_figheight() < 9
    assert len(drawn_texts(figure)) < 3 * runs
    matrix = next(axes for axes in figure.axes if len(axes.images) == 2)
    pairs = runs * (runs - 1) // 2
    cosines, barriers = (image.get_array() for image in matrix.images)
    assert cosines.count() == pairs
    assert barriers.count() == 200
    assert not matrix.texts
    assert f"200 of {pairs:,} barriers were measured" in matrix.get_title("left")


def test_diagnosis_of_few_has_its_numbers_and_an_order_of_names():
    figure = figure_of("diagnosis", large.diagnosis(11, barriers=55))
    matrix = next(axes for axes in figure.axes if axes.images)
    assert len(matrix.texts) == 110
    assert "measured" not in matrix.get_title("left")
    rows = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert rows == large.run_names(11)
