"""Figures that are drawn, and what is written in them."""

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from stockpot import figures
from stockpot.drawing import style


def draw_figure(
    name: str, table: pd.DataFrame, options=None
) -> tuple[Figure, pd.DataFrame]:
    return figures.load(name)({"table": table}, options)


def figure_of(name: str, table: pd.DataFrame) -> Figure:
    return figures.load(name)({"table": table}, {})[0]


def drawn_texts(figure: Figure) -> list[Text]:
    """All text that is really drawn; ticks beyond the ends of an axis are not."""
    seen, draw = [], Text.draw

    def noted(self, *args, **kwargs):
        seen.append(self)
        return draw(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch, style.matplotlib_settings():
        patch.setattr(Text, "draw", noted)
        FigureCanvasAgg(figure).draw()
    return [text for text in seen if text.get_visible() and text.get_text().strip()]


def texts_beyond_the_page(figure: Figure, tolerance=2) -> list[tuple[str, int]]:
    """Every text that is cut off at an edge, and by how many pixels."""
    shown, page = drawn_texts(figure), figure.bbox
    assert shown, "a figure has text"
    boxes = [text.get_window_extent() for text in shown]
    over = [max(-b.x0, -b.y0, b.x1 - page.width, b.y1 - page.height) for b in boxes]
    return [(t.get_text(), round(by)) for t, by in zip(shown, over) if by > tolerance]


def drawn_words(figure: Figure) -> set[str]:
    return {text.get_text() for text in drawn_texts(figure)}
