"""Figures: one module each, found by its file name.

A figure module declares ``FIGURE = FigureDeclaration(...)`` and defines ``draw(tables, style) ->
(matplotlib Figure, DataFrame of the data drawn)``. ``tables`` has the data frames "measurements",
"fits" and "rho" of ``stockpot.tables.measurements``, or, where the figure draws an analysis, that
one's table under "table" and, of a study, "measurements"; ``style`` the figure's options, each with
a default.
"""

import logging
from collections.abc import Callable
from functools import wraps

from ..runtime import registry
from ..runtime.options import Declaration, declaration_class
from ..tables.shared_names import NOTHING

log = logging.getLogger("stockpot")


@declaration_class
class FigureDeclaration(Declaration):
    """What a figure says of itself.

    In captions {level}, {axis}, {drawn}, {shifts} and {sizes} stand for the confidence in percent,
    the axis of the fits, that of the figure, what accuracies under shift are of, and the numbers of
    images.

    Attributes:
        options: The keys of its entry of ``figures``.
        caption: How to read it.
        caption_without_line: Takes its place in a study without standard models.
        draws: The analysis whose table it draws; "" where it draws the main tables.
    """

    caption: str
    caption_without_line: str = ""
    draws: str = ""


def names() -> list[str]:
    return registry.names(__file__)


def declared(name: str) -> FigureDeclaration:
    return registry.declaration(__name__, __file__, name, "FIGURE")


def options(name: str) -> dict[str, dict]:
    return registry.options(__name__, __file__, name, "FIGURE")


def draws(name: str) -> str:
    return declared(name).draws


def caption(
    name: str,
    level: str,
    axis: str,
    sizes: str,
    style: dict,
    shifts: list[str] | None = None,
    line: bool = True,
) -> str:
    """How to read the figure, with the facts of the study filled in.

    Args:
        name: Of the figure.
        level: Of the intervals, as "95 %".
        axis: Of the lines of the standard models.
        sizes: Numbers of images, as "reference 1,000, sketch 500".
        style: The figure's options.
        shifts: Names of the data sets under shift; several if not given.
        line: Has the study standard models, or published ones, to fit a line through?
    """
    figure = declared(name)
    text = figure.caption if line else figure.caption_without_line or figure.caption
    one = shifts[0] if shifts and len(shifts) == 1 else ""
    return " ".join(text.split()).format(
        level=level,
        axis=axis,
        drawn=style.get("axis") or axis,
        sizes=sizes,
        shifts=one or "the mean of the shifts",
    )


def load(name: str) -> Callable:
    """A figure's ``draw``, under the shared style whatever the user's own is.

    Options that are not given have their defaults. StockpotError for an unknown figure,
    ValueError for an unknown option.
    """
    draw = registry.load(__name__, __file__, name, "draw", "figure")
    known = options(name)

    @wraps(draw)
    def styled(tables: dict, style: dict | None = None):
        from ..drawing.style import context, sentence
        from ..drawing.texts import use_fonts

        given = style or {}
        for option in given:
            if option not in known:
                raise ValueError(
                    f"unknown option {option!r} of {name}; allowed: {', '.join(known) or 'none'}"
                )
        with context():
            if NOTHING in tables.get("table", ()):
                drawn, data = (
                    sentence(tables["table"][NOTHING].iloc[0]),
                    tables["table"],
                )
            else:
                drawn, data = draw(tables, registry.defaults(known) | given)
            if missing := use_fonts(drawn):
                log.warning("no font of this machine has %s", " ".join(sorted(missing)))
            # Laid out once, or else each file would depend on those saved before it.
            # The first pass learns how large the texts are, the second finds their places.
            for _ in range(2 if drawn.get_layout_engine() else 1):
                drawn.draw_without_rendering()
            drawn.set_layout_engine("none")
            return drawn, data

    return styled
