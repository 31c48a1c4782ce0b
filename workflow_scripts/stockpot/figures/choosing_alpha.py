"""Choosing alpha: what every selector chooses, and what it misses."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import BLACK, BLUE, GREY, TWO_COLUMNS, VERMILION
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="choosing-alpha",
    caption="""
**Choosing alpha.** A row per way to choose alpha; a dot per sweep, the bar is their mean. Left:
the alpha it chooses. Middle and right: what that misses of the best alpha of the same sweep, in
points of {shifts}, and of the mean of reference and shifts; 0 is as good as knowing
the test labels. Selectors see held-out data, corrupted held-out images or unlabelled shift images
alone; the grey rows are oracles, chosen on the test sets. n: {sizes}.
""",
)

PANELS = (
    ("alpha", "α chosen", 1),
    ("regret_shifts", "Missed under shift (points)", 100),
    ("regret_both", "Missed on both (points)", 100),
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Three panels: alpha, regret under shift, regret on both."""
    table = tables["table"]
    labels = list(table["label"].drop_duplicates())[::-1]
    curves = sorted(table["curve"].unique())
    result = Figure((TWO_COLUMNS, 0.9 + 0.24 * len(labels)), layout="constrained")
    panels = result.subplots(1, 3, sharey=True)
    for panel, (column, title, factor) in zip(panels, PANELS):
        for y, label in enumerate(labels):
            own = table[table["label"] == label]
            colour = GREY if "oracle" in label else BLUE
            x, spread = factor * own[column], 0.14
            offsets = [
                spread
                * (curves.index(c) - (len(curves) - 1) / 2)
                / max(len(curves) / 2, 1)
                for c in own["curve"]
            ]
            panel.plot(
                x,
                [y + o for o in offsets],
                "o",
                ms=3.2,
                color=colour,
                alpha=0.55,
                mew=0,
            )
            panel.plot(
                [x.mean()] * 2,
                [y - 0.32, y + 0.32],
                color=BLACK if "oracle" in label else VERMILION,
                lw=1.6,
                solid_capstyle="butt",
            )
        panel.set_xlabel(title)
        panel.margins(x=0.06)
        panel.grid(axis="y", visible=False)
    panels[0].set_yticks(range(len(labels)), labels)
    panels[0].set_xlim(-0.05, 1.05)
    panels[0].set_ylim(-0.6, len(labels) - 0.4)
    handles = [
        Line2D([], [], marker="o", ls="", ms=3.2, color=BLUE, alpha=0.55),
        Line2D([], [], color=VERMILION, lw=1.6),
    ]
    result.legend(handles, ["one sweep", "mean"], loc="outside upper right", ncols=2)
    return result, table
