"""What a method costs to make, beside what it gains."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ..drawing.model_colours import look
from ..drawing.point_names import MANY, PointName, draw_names
from ..drawing.robustness_axes import shifts_name
from ..drawing.style import (
    TWO_COLUMNS,
    ZERO_LINE,
    panel_title,
    panel_width,
    seconds_axis,
)
from . import FigureDeclaration
from .methods import IMPORTANT, group_of

FIGURE = FigureDeclaration(
    draws="cost",
    caption="""
**Cost and gain.** y is the gain over the best single run on held-out data, on the reference and
on {shifts}. x is the number of seconds that the method took, with all its ingredients. The
seconds are those of the jobs that made the files, on this machine; a job that resumed, or found
predictions in the store, took less. cost.csv also has memory and images. Crosses are methods that
run several models for each image. If there are more than 20 models, only soups, ensembles and the
best run have names. n: {sizes}.
""",
)

NAME_SIZE = 5.2  # points of the names' type
# A white rim, so that names can be read on lines.
OUTLINED = [withStroke(linewidth=1.6, foreground="white")]


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw two panels, for reference and shift, with a point per method.

    Args:
        tables: "table", that of the analysis, and "measurements" where there are some.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    # The cost of some jobs is not known.
    shown = table[table["total_seconds"].notna()]
    figure = Figure((TWO_COLUMNS, 3.3), layout="constrained")
    panels = figure.subplots(1, 2)
    titles = {
        "gain_over_best_run_reference": "Reference",
        "gain_over_best_run_shifts": shifts_name(tables),
    }
    for panel, (column, title) in zip(panels, titles.items()):
        _draw_methods(panel, shown, column)
        panel_title(panel, title, panel_width(2))
    # Names need the final positions of the panels.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for panel, column in zip(panels, titles):
        names = _names(shown, column)
        draw_names(panel, names, NAME_SIZE, path_effects=OUTLINED)
    return figure, table


def _draw_methods(
    panel: Axes,
    methods: pd.DataFrame,
    column: str,
) -> None:
    """Gain against cost; a cross for a method that asks several models per image."""
    panel.axhline(0, **ZERO_LINE)
    for row in methods.itertuples():
        mark = look(row.kind).small_mark
        if row.forward_passes > 1:
            mark["marker"] = "X"
        panel.plot(row.total_seconds, 100 * getattr(row, column), **mark)
    panel.set_xscale("log")
    seconds = methods["total_seconds"]
    if len(seconds):
        seconds_axis(panel.xaxis, seconds.min(), seconds.max())
    panel.margins(x=0.18)  # room for names at the sides
    panel.set_xlabel("Seconds, with all ingredients")
    panel.set_ylabel("Over the best single run (points)")


def _names(table: pd.DataFrame, column: str) -> list[PointName]:
    """Names of soups, ensembles and the best run first; of many models no others."""
    is_important = table["kind"].map(group_of).isin(IMPORTANT)
    runs = table[~is_important]
    order = list(table.index[is_important])
    # The best run is what merges have to beat.
    if runs[column].notna().any():
        order.append(runs[column].idxmax())
    if len(table) <= MANY:
        order += [index for index in table.index if index not in order]
    names = []
    for row in table.loc[order].itertuples():
        gain = getattr(row, column)
        if pd.notna(gain):
            colour = look(row.kind).colour
            names.append(PointName(row.model, row.total_seconds, 100 * gain, colour))
    return names
