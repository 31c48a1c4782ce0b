"""Accuracy under each shift against reference accuracy (WiSE-FT, figure 7)."""

import pandas as pd
from matplotlib.figure import Figure

from ..statistics.tables import datasets, reference
from .robustness_axes import axis_limits, default_axis, draw_panel, entries, fitted, points
from .style import finish, grid

CAPTION = """
**Effective robustness per shift.** As the figure of the mean, one panel per shift, each with its
own line of the standard models, where there are any (grey, fitted on a {axis} scale) and its own
ends; both axes {drawn}-scaled. The height above the line is effective robustness on that shift;
the dotted line is chance. Bars and band: {level} intervals. n: {sizes}.
"""
OPTIONS = {
    "axis": {
        "description": "null: the axis of the fits",
        "enum": ["logit", "probit", "linear"],
        "default": None,
    },
    "intervals": {"type": "boolean", "default": False},
}


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per shift."""
    measurements, fits = tables["measurements"], tables["fits"]
    axis = style["axis"] or default_axis(fits)
    names = datasets(measurements, "shift")
    result, panels, spare = grid(len(names), 3, 2.2)
    drawn, legend = [], {}
    for panel, name in zip(panels, names):
        table = points(measurements, name, axis)
        ends = axis_limits(table, axis)
        line = fitted(measurements, table, fits, ends[0])
        draw_panel(panel, table, line, axis, ends, style["intervals"])
        panel.set_title(name, loc="left")
        legend |= entries(table, line, ends)
        drawn += [table, line]
    x = f"Accuracy on {reference(measurements)} (%)"
    finish(result, spare, legend, x, "Accuracy under shift (%)")
    return result, pd.concat(drawn, ignore_index=True)
