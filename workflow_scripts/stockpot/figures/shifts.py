"""Accuracy under each shift against reference accuracy (WiSE-FT, figure 7)."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..drawing.robustness_axes import (
    axis_limits,
    default_axis,
    draw_panel,
    fit_with_band,
    legend_entries,
    name_equal_models,
    scatter_points,
)
from ..drawing.style import Legend, label_grid, panel_grid, panel_title, panel_width
from ..tables.measurements import datasets, reference
from . import FigureDeclaration
from ._options import Axis, Intervals


class Options(Axis):
    """Options of this figure."""

    intervals: Intervals = False


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Effective robustness per shift.** There is one panel per shift. x is the accuracy on the
reference, y the accuracy under this shift; both axes are {drawn}-scaled. Each panel has its own
baseline fit (grey, fitted on a {axis} scale) and its own limits. The height above it is effective
robustness on that shift. The dotted line is chance. Bars and band: {level} intervals. n: {sizes}.
""",
    caption_without_line="""
**Accuracy per shift.** There is one panel per shift, with its own limits. x is the accuracy on
the reference, y the accuracy under this shift; both axes are {drawn}-scaled. Curves are WiSE-FT
sweeps from the zero-shot model to the named model; rings mark alpha 0.5. The dotted line is
chance, if it is in view. Bars: {level} intervals. n: {sizes}.
""",
)

COLUMNS = 3


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per shift.

    Args:
        tables: "measurements" and "fits".
        options: ``axis`` and ``intervals``.

    Returns:
        The figure, and the points with the baseline fit of every panel.
    """
    measurements = tables["measurements"]
    fits = tables["fits"]
    axis = options["axis"] or default_axis(fits)
    names = datasets(measurements, "shift")
    figure, panels, spare = panel_grid(len(names), COLUMNS, height=2.2)
    drawn_tables = []
    legend: Legend = {}
    for panel, name in zip(panels, names):
        table = scatter_points(measurements, name, axis)
        # Shifts differ in difficulty, so every panel has its own ends.
        ends = axis_limits(table, axis)
        line = fit_with_band(measurements, table, fits, ends[0])
        draw_panel(panel, table, line, axis, ends, intervals=options["intervals"])
        panel_title(panel, name, panel_width(COLUMNS))
        # A model may be in some panels only.
        legend |= legend_entries(table, line, ends)
        drawn_tables += [table, line]
    label_grid(
        figure,
        spare,
        name_equal_models(legend, measurements),
        f"Accuracy on {reference(measurements)} (%)",
        "Accuracy under shift (%)",
    )
    return figure, pd.concat(drawn_tables, ignore_index=True)
