"""What every choice of members gives a soup of backbones on this task."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import BLUE, ONE_COLUMN, VERMILION, row_names
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="members",
    caption="""
**Which members?** Soups of the backbones of runs on several tasks, under this task's zero-shot
head: plain accuracy (the share of right answers) on the reference minus that of the zero-shot
model, for every choice of members. Blue: no member has seen this task; red: one has. Bars: paired
{level} intervals. n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A row per choice of members."""
    table = tables["table"]
    rows = table.iloc[::-1]
    result = Figure((ONE_COLUMN + 1.4, 0.8 + 0.15 * len(rows)), layout="constrained")
    axes = result.subplots()
    axes.axvline(0, color="#444444", lw=0.7)
    for y, row in enumerate(rows.itertuples()):
        colour = VERMILION if row.seen else BLUE
        axes.plot([100 * row.low, 100 * row.high], [y, y], color=colour, lw=1)
        axes.plot(100 * row.gain, y, "o", ms=3.6, color=colour)
    axes.set_yticks(range(len(rows)), row_names(rows["members"], 2.6))
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel("Over zero-shot on the reference (points)")
    handles = [
        Line2D([], [], marker="o", ls="", ms=3.6, color=c) for c in (BLUE, VERMILION)
    ]
    result.legend(
        handles, ["task not seen", "task seen"], loc="outside upper center", ncols=2
    )
    return result, table
