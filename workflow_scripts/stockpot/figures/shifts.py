"""Accuracy under each shift against reference accuracy (WiSE-FT, figure 7)."""

import pandas as pd
from matplotlib.figure import Figure

from ..statistics.tables import datasets, reference
from . import figure
from .robustness_axes import axis_limits, default_axis, draw, entries, fitted, points
from .style import finish, grid, options


@figure("shifts")
def draw_shifts(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per shift.

    Options: axis (logit, probit or linear; of the fits by default), intervals.
    """
    measurements, fits = tables["measurements"], tables["fits"]
    chosen = options(style, axis=default_axis(fits), intervals=False)
    names = datasets(measurements, "shift")
    result, panels, spare = grid(len(names), 3, 2.2)
    drawn, legend = [], {}
    for panel, name in zip(panels, names):
        table = points(measurements, name, chosen["axis"])
        ends = axis_limits(table, chosen["axis"])
        line = fitted(table, fits, ends[0])
        draw(panel, table, line, chosen["axis"], ends, chosen["intervals"])
        panel.set_title(name, loc="left")
        legend |= entries(table, line, ends)
        drawn += [table, line]
    x = f"Accuracy on {reference(measurements)} (%)"
    finish(result, spare, legend, x, "Accuracy under shift (%)")
    return result, pd.concat(drawn, ignore_index=True)
