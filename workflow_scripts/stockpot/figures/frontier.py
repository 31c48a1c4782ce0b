"""How much every method gives beyond the curve of WiSE-FT."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import BLUE, GREY, ONE_COLUMN, VERMILION, row_names
from ..drawing.texts import fit
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="frontier",
    caption="""
**Gap to the frontier.** Mean plain accuracy (the share of right answers) under shift of every
method minus that of one WiSE-FT sweep at the same reference accuracy, a place on it that the test
sets tell (oracle), in points; right of 0 a method gives more than a choice of alpha would. Red:
better or worse on the reference than every point of the sweep, compared with its nearest end;
filled where the interval excludes 0. Bars: paired bootstrap, {level}, of the examples, not
corrected for the number of methods; that the place on the curve is itself measured is not in them.
n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A row per method, best on top."""
    table = tables["table"]
    rows = table.iloc[::-1]
    result = Figure((ONE_COLUMN + 0.6, 0.8 + 0.14 * len(rows)), layout="constrained")
    axes = result.subplots()
    axes.axvline(0, color="#444444", lw=0.7)
    for y, row in enumerate(rows.itertuples()):
        sure = row.low > 0 or row.high < 0
        outside = row.beyond or row.below
        colour = VERMILION if outside else BLUE if sure else GREY
        axes.plot([100 * row.low, 100 * row.high], [y, y], color=colour, lw=1)
        axes.plot(
            100 * row.gap, y, "o", ms=3.6, color=colour, mfc=colour if sure else "white"
        )
    axes.set_yticks(range(len(rows)), row_names(rows["model"]))
    axes.set_ylim(-0.7, len(rows) - 0.3)
    curve = fit(table["curve"].iloc[0], 80, 8)
    axes.set_xlabel(f"Above the sweep of {curve} (points under shift)")
    axes.grid(axis="y", visible=False)
    looks = (
        (BLUE, BLUE, "interval without 0"),
        (GREY, "white", "with 0"),
        (VERMILION, VERMILION, "outside the sweep"),
    )
    handles = [
        Line2D([], [], marker="o", ls="", ms=3.6, color=c, mfc=f) for c, f, _ in looks
    ]
    result.legend(
        handles, [text for *_, text in looks], loc="outside upper center", ncols=3
    )
    return result, table
