"""Accuracy along the way from the zero-shot to the fine-tuned weights (WiSE-FT, figure 6)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..drawing.model_colours import sweeps
from ..drawing.robustness_axes import with_equals
from ..drawing.style import (
    DASHES,
    GREY,
    balanced,
    finish,
    grid,
    panel_width,
    sentence,
    title,
)
from ..tables.measurements import MEAN, datasets
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    caption="""
**Accuracy against alpha.** A panel per data set, a curve per sweep from the zero-shot weights
(alpha 0) to the named model (alpha 1). The dashed chord joins the ends: a curve above it gains by
mixing. Bands: {level} intervals, Clopper-Pearson, for the mean a stratified bootstrap. n:
{sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per data set, a line per sweep with its intervals and its chord."""
    measurements = tables["measurements"]
    table = measurements[measurements["curve"] != ""].sort_values(
        "alpha", kind="stable"
    )
    if table.empty:
        return sentence("Nothing to show: this study has no sweep."), table
    names = datasets(measurements, "reference", "held-out", "shift")
    if len(datasets(measurements, "shift")) > 1:
        names += datasets(measurements, "mean")
    columns = balanced(len(names), style["columns"])
    result, panels, spare = grid(len(names), columns, 1.9)
    legend = {}
    for panel, name in zip(panels, names):
        there = table[table["dataset"] == name]
        for (kind, curve), look in sweeps(measurements).items():
            sweep = there[(there["kind"] == kind) & (there["curve"] == curve)]
            x, ends = sweep["alpha"], pd.concat([sweep.head(1), sweep.tail(1)])
            panel.fill_between(
                x,
                100 * sweep["low"],
                100 * sweep["high"],
                color=look.colour,
                alpha=0.15,
                linewidth=0,
            )
            panel.plot(x, 100 * sweep["value"], **look.line)
            panel.plot(
                ends["alpha"], 100 * ends["value"], color=look.colour, ls=DASHES, lw=0.6
            )
            legend[look.label] = Line2D([], [], **look.line)
        text = "Mean of shifts" if name == MEAN else name
        title(panel, text, panel_width(columns))
        panel.set_xlim(-0.03, 1.03)
        panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
        panel.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    legend["Straight line between the ends"] = Line2D(
        [], [], color=GREY, ls=DASHES, lw=0.6
    )
    legend = with_equals(legend, measurements)
    finish(result, spare, legend, "α", "Accuracy (%)")
    return result, table
