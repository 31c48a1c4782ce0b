"""Soups beside the models they are made of (Model soups, figure 1)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.robustness_axes import (
    axis_limits,
    draw_panel,
    entries,
    points,
    under_shift,
    with_equals,
)
from ..drawing.style import BLACK, ONE_COLUMN, legend_outside
from ..runtime.options import PluginOptions
from ..tables.measurements import BASELINE, MEAN, reference
from . import FigureDeclaration
from ._options import Intervals

SINGLE = "end-to-end"
_APART = ("zero-shot", "linear-classifier", "linear-search", BASELINE)


class Options(PluginOptions):
    intervals: Intervals = True


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Soups.** Every model fine-tuned end to end, soups and ensembles, on the reference (x) and on
{shifts} (y). The ring is the single model that is best on held-out data; the greedy
soup is selected there too. Bars: {level} intervals. n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Single fine-tuned models, soups and ensembles; the best held-out model has a ring."""
    measurements = tables["measurements"]
    table = points(measurements, MEAN, "linear")
    table = table[(table["curve"] == "") & ~table["kind"].isin(_APART)]
    held_out = measurements[
        (measurements["kind"] == SINGLE)
        & (measurements["role"] == "held-out")
        & (measurements["curve"] == "")
    ]
    accuracy = held_out.groupby("model", sort=False)["value"].mean()
    best = table["model"].eq(accuracy.idxmax() if len(accuracy) else None)
    table = table.assign(best_single=best & (table["kind"] == SINGLE))

    result = Figure((ONE_COLUMN, 3.6), layout="constrained")
    axes, ends = result.subplots(), axis_limits(table, "linear")
    draw_panel(axes, table, pd.DataFrame(), "linear", ends, style["intervals"])
    legend = with_equals(entries(table, pd.DataFrame(), ends), measurements)
    ring = {"color": BLACK, "marker": "o", "ls": "", "ms": 8, "mfc": "none", "mew": 0.9}
    top = table[table["best_single"]]
    if len(top):
        axes.plot(top["reference_value"], top["value"], zorder=8, **ring)
        legend["Best single, held-out"] = Line2D([], [], **ring)
    axes.set_xlabel(f"Accuracy on {reference(measurements)} (%)")
    axes.set_ylabel(under_shift(measurements))
    legend_outside(result, legend, "lower center", most=2)
    return result, table
