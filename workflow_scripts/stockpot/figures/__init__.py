"""Figures: one module each, found by its file name.

A figure module declares ``FIGURE = FigureDeclaration(...)`` and defines ``draw(tables, options) ->
(matplotlib Figure, DataFrame of the data drawn)``.

- ``tables`` has the data frames "measurements", "fits" and "robustness" of
  ``stockpot.tables.measurements``. Where the figure draws an analysis, it has the table of the
  analysis under "table" and, of a study, "measurements".
- ``options`` has the figure's options, each with a default.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

from ..runtime import registry
from ..runtime.options import Declaration, declaration_class
from ..tables.shared_names import NOTHING

if TYPE_CHECKING:
    # Planning reads declarations without pandas and matplotlib, which take seconds to import.
    import pandas as pd
    from matplotlib.figure import Figure

log = logging.getLogger("stockpot")


@declaration_class
class FigureDeclaration(Declaration):
    """What a figure says about itself.

    In captions {level}, {axis}, {drawn}, {shifts} and {sizes} stand for the confidence in percent,
    the axis of the fits, that of the figure, what accuracies under shift are of, and the numbers of
    images.

    Attributes:
        options: The keys of its entry of ``figures``.
        caption: How to read it.
        caption_without_line: The caption in a study without baselines, if it differs.
        draws: The analysis whose table it draws; "" where it draws the main tables.
    """

    caption: str
    caption_without_line: str = ""
    draws: str = ""


def names() -> list[str]:
    """List all figures.

    Returns:
        Their names, in alphabetical order.
    """
    return registry.names(__file__)


def declared(name: str) -> FigureDeclaration:
    """Read what a figure declares, without importing its module.

    Args:
        name: Of the figure.

    Returns:
        The declaration.
    """
    return registry.declaration(__name__, __file__, name, "FIGURE")


def options(name: str) -> dict[str, dict[str, Any]]:
    """Read the options of a figure.

    Args:
        name: Of the figure.

    Returns:
        Option -> its JSON schema.
    """
    return registry.options(__name__, __file__, name, "FIGURE")


def draws(name: str) -> str:
    """Tell which analysis a figure draws.

    Args:
        name: Of the figure.

    Returns:
        Name of the analysis; "" where it draws the main tables.
    """
    return declared(name).draws


def caption(
    name: str,
    level: str,
    axis: str,
    sizes: str,
    style: dict[str, Any],
    shifts: list[str] | None = None,
    *,
    line: bool = True,
) -> str:
    """Write how to read a figure, with the facts of the study filled in.

    Args:
        name: Of the figure.
        level: Of the intervals, as "95 %".
        axis: Scale of the axes of the baseline fits.
        sizes: Numbers of images, as "reference 1,000, sketch 500".
        style: The figure's options.
        shifts: Names of the data sets under shift; several if not given.
        line: Whether the study has baselines, or published ones, to fit a line through.

    Returns:
        The caption, on one line.
    """
    # Captions are written with line breaks, for the reader of the code.
    figure = declared(name)
    text = figure.caption
    if not line and figure.caption_without_line:
        text = figure.caption_without_line
    only_shift = shifts[0] if shifts and len(shifts) == 1 else ""
    return " ".join(text.split()).format(
        level=level,
        axis=axis,
        drawn=style.get("axis") or axis,
        sizes=sizes,
        shifts=only_shift or "the mean of the shifts",
    )


def load(name: str) -> Callable[..., tuple["Figure", "pd.DataFrame"]]:
    """Load a figure's ``draw``, to run under the shared style whatever the user's own is.

    Args:
        name: Of the figure.

    Returns:
        ``draw``, with a default for every option that is not given. It raises ValueError for an
        unknown option.

    Raises:
        StockpotError: If there is no such figure.
    """
    draw = registry.load(__name__, __file__, name, "draw", "figure")
    known_options = options(name)
    defaults = registry.defaults(known_options)

    @wraps(draw)  # its name and docstring
    def _draw(
        tables: "dict[str, pd.DataFrame]",
        chosen_options: dict[str, Any] | None = None,
    ) -> "tuple[Figure, pd.DataFrame]":
        """Check the options, and draw."""
        chosen_options = chosen_options or {}
        _check_options(name, chosen_options, known_options)
        return _draw_styled(draw, tables, defaults | chosen_options)

    return _draw


def _draw_styled(
    draw: Callable[..., tuple["Figure", "pd.DataFrame"]],
    tables: "dict[str, pd.DataFrame]",
    all_options: dict[str, Any],
) -> "tuple[Figure, pd.DataFrame]":
    """Draw a figure under the shared style, and lay it out for good."""
    from ..drawing.style import matplotlib_settings

    with matplotlib_settings():
        # An analysis without a result has a table with the reason.
        if NOTHING in tables.get("table", ()):
            figure, data = _draw_nothing(tables["table"])
        else:
            figure, data = draw(tables, all_options)
        _finish(figure)
    return figure, data


def _check_options(
    name: str,
    chosen_options: dict[str, Any],
    known_options: dict[str, dict[str, Any]],
) -> None:
    """ValueError for an option that the figure does not have."""
    for option in chosen_options:
        if option not in known_options:
            allowed = ", ".join(known_options) or "none"
            raise ValueError(f"unknown option {option!r} of {name}; allowed: {allowed}")


def _draw_nothing(table: "pd.DataFrame") -> "tuple[Figure, pd.DataFrame]":
    """A figure of the reason for which an analysis has no result."""
    from ..drawing.style import text_figure

    return text_figure(table[NOTHING].iloc[0]), table


def _finish(figure: "Figure") -> None:
    """Choose the fonts of a figure and lay it out for good."""
    from ..drawing.texts import use_fonts

    missing = use_fonts(figure)
    if missing:
        log.warning("no font of this machine has %s", " ".join(sorted(missing)))
    # Laid out once, or else each file would depend on those saved before it.
    # The first pass learns how large the texts are, the second finds their positions.
    passes = 2 if figure.get_layout_engine() else 1
    for _ in range(passes):
        figure.draw_without_rendering()
    figure.set_layout_engine("none")
