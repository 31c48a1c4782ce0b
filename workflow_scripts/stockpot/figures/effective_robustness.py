"""Accuracy under shift against reference accuracy, all shifts averaged (WiSE-FT, figure 1)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from pydantic import Field

from ..drawing.robustness_axes import (
    axis_limits,
    default_axis,
    draw_panel,
    entries,
    fitted,
    points,
    under_shift,
    with_equals,
)
from ..drawing.style import TWO_COLUMNS, legend_outside
from ..tables.measurements import BASELINE, MEAN, reference
from . import FigureDeclaration
from ._options import Axis, Intervals


class Options(Axis):
    zoom: bool = Field(
        True, description="a second panel with the zero-shot and fine-tuned models"
    )
    intervals: Intervals = Field(
        True,
        description="draw intervals as bars, in the second panel where there is one",
    )


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Effective robustness.** Accuracy on the reference (x) against {shifts} (y), both axes
{drawn}-scaled. The grey line is fitted through the standard models, trained on the reference alone,
on a {axis} scale; the height above it is effective robustness.
Curves are WiSE-FT sweeps from the zero-shot model (alpha 0) to the named model (alpha 1); the
rings are alpha 0.5. Bars and band: {level} intervals, of an accuracy (Clopper-Pearson; of a mean,
stratified bootstrap) and of the line (bootstrap of the standard models); the joint interval of
the height is in robustness.csv. Where standard models are near chance on a shift, heights are
larger than in the papers; their sign is what carries over. n: {sizes}.
""",
    caption_without_line="""
**Accuracy under shift.** Accuracy on the reference (x) against {shifts} (y), both axes
{drawn}-scaled. Curves are WiSE-FT sweeps from the zero-shot model (alpha 0) to the named model
(alpha 1); the rings are alpha 0.5. The study has no standard models, so there is no line and no
effective robustness: of two models with one accuracy on the reference, the higher is the more
robust. Bars: {level} intervals of an accuracy (Clopper-Pearson; of a mean, stratified bootstrap).
n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Every model on the left, the fine-tuned ones again, larger, on the right."""
    measurements, fits = tables["measurements"], tables["fits"]
    axis = style["axis"] or default_axis(fits)
    table = points(measurements, MEAN, axis)
    near = table[table["kind"] != BASELINE]
    zoom = style["zoom"] and 0 < len(near) < len(table)

    result = Figure((TWO_COLUMNS, 4.0 if zoom else 4.8), layout="constrained")
    panels = result.subplots(1, 2 if zoom else 1, squeeze=False)[0]
    ends = axis_limits(table, axis)
    line = fitted(measurements, table, fits, ends[0])
    draw_panel(panels[0], table, line, axis, ends, style["intervals"] and not zoom)
    if zoom:
        inner = axis_limits(near, axis)
        draw_panel(panels[1], near, line, axis, inner, style["intervals"])
        corner, size = zip(*((low, high - low) for low, high in inner))
        panels[0].add_patch(
            Rectangle(corner, *size, fill=False, ec="#666666", lw=0.6, zorder=8)
        )
        panels[0].set_title("All models", loc="left")
        panels[1].set_title("Zero-shot and fine-tuned models", loc="left")
    panels[0].set_ylabel(under_shift(measurements))
    for panel in panels:
        panel.set_xlabel(f"Accuracy on {reference(measurements)} (%)")
    legend = with_equals(entries(table, line, ends), measurements)
    legend_outside(result, legend, "lower center")
    return result, pd.concat([table, line], ignore_index=True)
