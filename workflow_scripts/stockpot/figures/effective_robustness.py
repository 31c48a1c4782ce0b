"""Accuracy under shift against reference accuracy, all shifts averaged (WiSE-FT, figure 1)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pydantic import Field

from ..drawing.robustness_axes import (
    Ends,
    axis_limits,
    default_axis,
    draw_panel,
    fit_with_band,
    legend_entries,
    name_equal_models,
    scatter_points,
    under_shift,
)
from ..drawing.style import TWO_COLUMNS, legend_outside
from ..tables.measurements import BASELINE, SHIFT_MEAN, reference
from . import FigureDeclaration
from ._options import Axis, Intervals


class Options(Axis):
    """Options of this figure."""

    zoom: bool = Field(
        default=True,
        description="draw a second panel, with the zero-shot and fine-tuned models",
    )
    intervals: Intervals = Field(
        default=True,
        description="draw intervals as bars; only in the second panel, if there is one",
    )


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Effective robustness.** x is the accuracy on the reference, y the accuracy on {shifts}; both
axes are {drawn}-scaled. The grey line is fitted, on a {axis} scale, through the baselines,
which were trained only on the training distribution. The height above the line is effective
robustness. Curves are WiSE-FT sweeps from the zero-shot model (alpha 0) to the named model (alpha
1); rings mark alpha 0.5. Bars: {level} intervals of an accuracy (Clopper-Pearson; for a mean, a
stratified bootstrap). Band: {level} interval of the line (bootstrap of the baselines).
robustness.csv has the joint interval of the height. If baselines are near chance on a
shift, heights are larger than in the papers; then only their sign can be compared. n: {sizes}.
""",
    caption_without_line="""
**Accuracy under shift.** x is the accuracy on the reference, y the accuracy on {shifts}; both
axes are {drawn}-scaled. Curves are WiSE-FT sweeps from the zero-shot model (alpha 0) to the named
model (alpha 1); rings mark alpha 0.5. The study has no baselines, so there is no line and
no effective robustness. Of two models with the same accuracy on the reference, the higher one is
more robust. Bars: {level} intervals of an accuracy (Clopper-Pearson; for a mean, a stratified
bootstrap). n: {sizes}.
""",
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw every model on the left, and all but the baselines again, larger, on the right.

    Args:
        tables: "measurements" and "fits".
        options: ``axis``, ``zoom`` and ``intervals``.

    Returns:
        The figure, and the points with the baseline fit.
    """
    measurements = tables["measurements"]
    axis = options["axis"] or default_axis(tables["fits"])
    table = scatter_points(measurements, SHIFT_MEAN, axis)
    near = table[table["kind"] != BASELINE]
    # A second panel of all models, or of none, would show nothing new.
    zoom = options["zoom"] and 0 < len(near) < len(table)
    intervals = options["intervals"]
    height = 4.0 if zoom else 4.8
    figure = Figure((TWO_COLUMNS, height), layout="constrained")
    panels = figure.subplots(1, 2 if zoom else 1, squeeze=False)[0]
    ends = axis_limits(table, axis)
    line = fit_with_band(measurements, table, tables["fits"], ends[0])
    all_models = panels[0]
    # Small bars of many models only clutter, where a larger panel has them.
    draw_panel(all_models, table, line, axis, ends, intervals=intervals and not zoom)
    if zoom:
        near_ends = axis_limits(near, axis)
        draw_panel(panels[1], near, line, axis, near_ends, intervals=intervals)
        panels[1].set_title("Zero-shot and fine-tuned models", loc="left")
        _draw_frame(all_models, near_ends)
        all_models.set_title("All models", loc="left")
    all_models.set_ylabel(under_shift(measurements))
    for panel in panels:
        panel.set_xlabel(f"Accuracy on {reference(measurements)} (%)")
    legend = name_equal_models(legend_entries(table, line, ends), measurements)
    legend_outside(figure, legend, "lower center")
    return figure, pd.concat([table, line], ignore_index=True)


def _draw_frame(panel: Axes, ends: Ends) -> None:
    """A frame around what the second panel shows."""
    # In data coordinates, so that it is right on any scale.
    (left, right), (bottom, top) = ends
    frame = Rectangle(
        (left, bottom),
        right - left,
        top - bottom,
        fill=False,
        ec="#666666",
        lw=0.6,
        zorder=8,
    )
    panel.add_patch(frame)
