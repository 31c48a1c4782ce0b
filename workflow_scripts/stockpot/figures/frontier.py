"""How far every method lies above a sweep of WiSE-FT."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.style import (
    BLUE,
    GREY,
    ONE_COLUMN,
    VERMILION,
    ZERO_LINE,
    dots,
    handle,
    row_names,
    short_legend,
)
from ..drawing.texts import fit_text
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="frontier",
    caption="""
**Gap to the frontier.** The figure shows the mean plain accuracy (the share of right answers) of
every method under shift, minus that of one WiSE-FT sweep at the same reference accuracy, in
points. The test sets decide which point of the sweep that is (oracle). Right of 0, a method gives
more than a choice of alpha. Red: the method is better or worse on the reference than every point
of the sweep; it is compared with the nearest end of the sweep. Filled: the interval excludes 0.
Bars: paired bootstrap of the examples, {level}, not corrected for the number of methods. The
intervals do not include that the point of the sweep is itself measured. n: {sizes}.
""",
)

DOT_SIZE = 3.6  # points


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a row per method, the best one on top.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    # The table has the best method first; rows are counted from below.
    rows = table.iloc[::-1]
    size = (ONE_COLUMN + 0.6, 0.8 + 0.14 * len(rows))  # inches, per row
    figure = Figure(size, layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, **ZERO_LINE)
    for y, row in enumerate(rows.itertuples()):
        _draw_gap(axes, row, y)
    axes.set_yticks(range(len(rows)), row_names(rows["model"]))
    axes.set_ylim(-0.7, len(rows) - 0.3)
    target = fit_text(table["sweep"].iloc[0], 80, 8)
    axes.set_xlabel(f"Above the sweep of {target} (points under shift)")
    # Rows are no scale.
    axes.grid(axis="y", visible=False)
    legend = {
        "interval without 0": handle(**dots(BLUE, DOT_SIZE, mfc=BLUE)),
        "with 0": handle(**dots(GREY, DOT_SIZE, mfc="white")),
        "outside the sweep": handle(**dots(VERMILION, DOT_SIZE, mfc=VERMILION)),
    }
    short_legend(figure, legend, "upper center", 3)
    return figure, table


def _draw_gap(
    axes: Axes,
    row: Any,
    y: float,
) -> None:
    """One method: a dot and its interval, filled where the interval excludes 0."""
    excludes_zero = row.low > 0 or row.high < 0
    colour = BLUE if excludes_zero else GREY
    # On the reference better or worse than every point of the sweep.
    if row.reference_above_sweep or row.reference_below_sweep:
        colour = VERMILION
    axes.plot(
        [100 * row.low, 100 * row.high],
        [y, y],
        color=colour,
        lw=1,
    )
    face = colour if excludes_zero else "white"
    axes.plot(100 * row.gap_to_sweep, y, **dots(colour, DOT_SIZE, mfc=face))
