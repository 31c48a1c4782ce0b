"""How far every mix lies above the straight line between the ends (WiSE-FT, section 5.2)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    balanced,
    finish,
    grid,
    panel_width,
    title,
)
from ..tables.equal_models import equal_groups, said
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    draws="chords",
    caption="""
**Observations 1 and 2.** Plain accuracy (the share of right answers) of a mix minus that of its two
ends, mixed in proportion, in points; a panel per data set, a curve per sweep, bands are paired
{level} intervals. Above 0 at every alpha: observation 1 of WiSE-FT. A filled dot is an alpha whose
accuracy lies above that of the better end, which the test set tells (oracle), by more than its
interval (pointwise, not corrected for the number of alphas): observation 2. n: {sizes}.
""",
)

COLOURS = (BLUE, GREEN, ORANGE, VERMILION, PURPLE, SKY)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per data set, and one for the mean of the shifts."""
    table = tables["table"]
    places, curves = (list(table[c].drop_duplicates()) for c in ("on", "curve"))
    columns = balanced(len(places), style["columns"])
    result, panels, spare = grid(len(places), columns, 1.8)
    equal = equal_groups(table, "curve", ["alpha", "on"], "distance")
    texts = said({curve: f"to {curve}" for curve in curves}, equal)
    legend = {}
    for panel, place in zip(panels, places):
        panel.axhline(0, color="#444444", lw=0.7)
        for i, curve in enumerate(curves):
            own = table[(table["on"] == place) & (table["curve"] == curve)]
            look = {
                "color": COLOURS[i % len(COLOURS)],
                "ls": ("-", "--", ":")[i // len(COLOURS) % 3],
            }
            x = own["alpha"]
            panel.fill_between(
                x,
                100 * own["low"],
                100 * own["high"],
                color=look["color"],
                alpha=0.15,
                linewidth=0,
            )
            panel.plot(x, 100 * own["distance"], **look)
            both = own[own["over_low"] > 0]
            panel.plot(
                both["alpha"], 100 * both["distance"], "o", ms=3, color=look["color"]
            )
            legend[texts[curve]] = Line2D([], [], **look)
        title(panel, place, panel_width(columns))
        panel.set_xlim(0, 1)
        panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    legend["Better than both ends"] = Line2D(
        [], [], marker="o", ls="", ms=3, color="#444444"
    )
    finish(result, spare, legend, "α", "Above the chord (points)")
    return result, table
