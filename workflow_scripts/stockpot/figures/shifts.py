"""Accuracy under each shift against reference accuracy (WiSE-FT, figure 7)."""

import pandas as pd
from matplotlib.figure import Figure

from ..drawing.robustness_axes import (
    axis_limits,
    default_axis,
    draw_panel,
    entries,
    fitted,
    points,
    with_equals,
)
from ..drawing.style import finish, grid, panel_width, title
from ..tables.measurements import datasets, reference
from . import FigureDeclaration
from ._options import Axis, Intervals


class Options(Axis):
    intervals: Intervals = False


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Effective robustness per shift.** As the figure of the mean, one panel per shift, each with its
own line of the standard models (grey, fitted on a {axis} scale) and its own ends; both axes
{drawn}-scaled. The height above the line is effective robustness on that shift; the dotted line is
chance. Bars and band: {level} intervals. n: {sizes}.
""",
    caption_without_line="""
**Accuracy per shift.** Accuracy on the reference (x) against that under shift (y), one panel per
shift with its own ends; both axes {drawn}-scaled. Curves are WiSE-FT sweeps from the zero-shot
model to the named model; the rings are alpha 0.5; the dotted line is chance, where it is in view.
Bars: {level} intervals. n: {sizes}.
""",
)


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
        title(panel, name, panel_width(3))
        legend |= entries(table, line, ends)
        drawn += [table, line]
    x = f"Accuracy on {reference(measurements)} (%)"
    legend = with_equals(legend, measurements)
    finish(result, spare, legend, x, "Accuracy under shift (%)")
    return result, pd.concat(drawn, ignore_index=True)
