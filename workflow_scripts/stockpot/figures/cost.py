"""What a method costs to make, beside what it gains."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter

from .methods import GROUPS, group_of
from .style import TWO_COLUMNS

DRAWS = "cost"
CAPTION = """
**Cost and gain.** Gain over the best single run on held-out data, on the reference and on the
mean of the shifts, against the seconds that the method took with all its ingredients. Seconds are
of this machine, of the jobs that made the files (a job that resumed or found predictions in the
store took less); memory and images are in cost.csv. Crosses answer with several models per image.
n: {sizes}.
"""
OPTIONS = {}
OUTLINED = [withStroke(linewidth=1.6, foreground="white")]


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Two panels, a point per method."""
    table = tables["table"]
    shown = table[table["all_seconds"].notna()]
    result = Figure((TWO_COLUMNS, 3.3), layout="constrained")
    for panel, column, title in zip(
        result.subplots(1, 2),
        ("gain_reference", "gain_shifts"),
        ("Reference", "Mean of shifts"),
    ):
        panel.axhline(0, color="#444444", lw=0.7)
        for row in shown.itertuples():
            _, marker, colour = GROUPS[group_of(row.kind)]
            marker = "X" if row.forward > 1 else marker
            y = 100 * getattr(row, column)
            panel.plot(row.all_seconds, y, marker, color=colour, ms=4, mew=0.3, mec="white")
            panel.annotate(row.model, (row.all_seconds, y), (3, 0), textcoords="offset points",
                           fontsize=5.2, va="center", color=colour,
                           path_effects=OUTLINED)  # fmt: skip
        panel.set_xscale("log")
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        panel.xaxis.set_minor_formatter(NullFormatter())
        panel.margins(x=0.18)
        panel.set_title(title, loc="left")
        panel.set_xlabel("Seconds, with all ingredients")
        panel.set_ylabel("Over the best single run (points)")
    return result, table
