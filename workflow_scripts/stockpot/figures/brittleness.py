"""How much hangs on a hyperparameter: reference and shift, with and without mixing."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from ..drawing.robustness_axes import shifts_name
from ..drawing.style import BLUE, VERMILION, finish, grid
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    draws="brittleness",
    caption="""
**Brittleness.** Accuracy of every end-to-end run against one of its hyperparameters, a panel
each: on the reference and on {shifts}; hollow: of the run's mix with the zero-shot
model at alpha 0.5, where it is swept. Numbers are Spearman's rank correlations, reference and
shift. Runs of a random search differ in all hyperparameters at once. n: {sizes}.
""",
)

LOOKS = {
    "reference": ("Reference", BLUE, BLUE),
    "shifts": ("{shifts}", VERMILION, VERMILION),
    "mixed_reference": ("Reference, α = 0.5", BLUE, "white"),
    "mixed_shifts": ("{shifts}, α = 0.5", VERMILION, "white"),
}


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per hyperparameter that differs."""
    table = tables["table"]
    names = list(table["hyperparameter"].drop_duplicates())
    result, panels, spare = grid(len(names), min(style["columns"], len(names)), 2.3)
    legend, shifts = {}, shifts_name(tables)
    for panel, name in zip(panels, names):
        own = table[table["hyperparameter"] == name].sort_values("value")
        positive = (
            own["value"].min() > 0 and own["value"].max() / own["value"].min() > 4
        )
        for column, (label, colour, face) in LOOKS.items():
            if own[column].notna().any():
                look = {
                    "marker": "o",
                    "ls": "",
                    "ms": 3.6,
                    "color": colour,
                    "mfc": face,
                }
                panel.plot(own["value"], 100 * own[column], **look)
                legend[label.format(shifts=shifts)] = Line2D([], [], **look)
        if positive:
            panel.set_xscale("log")
            wide = own["value"].max() / own["value"].min() > 20
            panel.xaxis.set_major_locator(
                LogLocator(subs=(1,) if wide else (1, 2, 5), numticks=5)
            )
            panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
            panel.xaxis.set_minor_formatter(NullFormatter())
        ranks = own[["rank_reference", "rank_shifts"]].iloc[0]
        text = ", ".join("–" if np.isnan(r) else f"{r:+.2f}" for r in ranks)
        panel.set_title(f"{name.replace('_', ' ')}\nρ {text}", loc="left")
    finish(result, spare, legend, "Hyperparameter", "Accuracy (%)")
    return result, table
