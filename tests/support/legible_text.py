"""Which texts of a figure cannot be read, and what its legends say."""

from itertools import combinations

from matplotlib.figure import Figure
from matplotlib.text import Text

from tests.support.drawn_text import drawn_texts


def illegible(figure: Figure, tolerance: float = 3) -> list[str]:
    """Every text that is cut off at an edge of the page, and every two that cover each other.

    The tolerance is the pixels that letters leave free in the box of a text.
    """
    # Of an annotation the box of its text alone, without its arrow.
    shown = [
        (text.get_text(), Text.get_window_extent(text)) for text in drawn_texts(figure)
    ]
    page, found = figure.bbox, []
    for text, box in shown:
        if max(-box.x0, -box.y0, box.x1 - page.width, box.y1 - page.height) > tolerance:
            found.append(f"{text} is cut off")
    for (one, a), (other, b) in combinations(shown, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > tolerance and high > tolerance:
            found.append(f"{one} over {other}")
    return found


def legend_texts(figure: Figure) -> list[str]:
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return [
        text.get_text() for legend in legends if legend for text in legend.get_texts()
    ]
