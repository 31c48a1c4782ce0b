"""Soups beside the models they are made of (Model soups, figure 1)."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..drawing.robustness_axes import (
    axis_limits,
    draw_panel,
    legend_entries,
    name_equal_models,
    scatter_points,
    under_shift,
)
from ..drawing.style import BLACK, ONE_COLUMN, dots, handle, legend_outside
from ..runtime.options import PluginOptions
from ..tables.measurements import BASELINE, SHIFT_MEAN, reference
from . import FigureDeclaration
from ._options import Intervals


class Options(PluginOptions):
    """Options of this figure."""

    intervals: Intervals = True


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Soups.** The figure shows every model fine-tuned end to end, soups and ensembles. x is the
accuracy on the reference, y the accuracy on {shifts}. The ring is the single model that is best
on held-out data; the greedy soup is selected on the same data. Bars: {level} intervals. n:
{sizes}.
""",
)

# The kind of the runs that soups are made of.
RUN = "end-to-end"
# Kinds that are neither soups nor what soups are made of.
NOT_SHOWN = ("zero-shot", "linear-classifier", "linear-search", BASELINE)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw single fine-tuned models, soups and ensembles; the best held-out model has a ring.

    Args:
        tables: "measurements".
        options: ``intervals``.

    Returns:
        The figure, and the points, with a column ``is_best_run``.
    """
    measurements = tables["measurements"]
    table = scatter_points(measurements, SHIFT_MEAN, "linear")
    is_point = table["sweep"] != ""
    is_hidden_kind = table["kind"].isin(NOT_SHOWN)
    table = table[~is_point & ~is_hidden_kind]
    # The run that one would take without soups: chosen without test labels.
    is_run = table["kind"] == RUN
    is_best_name = table["model"].eq(_best_run(measurements))
    table = table.assign(is_best_run=is_run & is_best_name)

    figure = Figure((ONE_COLUMN, 3.6), layout="constrained")
    axes = figure.subplots()
    ends = axis_limits(table, "linear")
    # Baselines are not shown, and so their fit is not, either.
    no_line = pd.DataFrame()
    intervals = options["intervals"]
    draw_panel(axes, table, no_line, "linear", ends, intervals=intervals)
    legend = legend_entries(table, no_line, ends)
    legend = name_equal_models(legend, measurements)
    best = table[table["is_best_run"]]
    if len(best):
        ring = dots(BLACK, 8, mfc="none", mew=0.9)
        axes.plot(best["reference_value"], best["value"], zorder=8, **ring)
        legend["Best single, held-out"] = handle(**ring)
    axes.set_xlabel(f"Accuracy on {reference(measurements)} (%)")
    axes.set_ylabel(under_shift(measurements))
    legend_outside(figure, legend, "lower center", most=2)
    return figure, table


def _best_run(measurements: pd.DataFrame) -> str | None:
    """The run with the highest mean accuracy on held-out data; None where there is none."""
    is_run = measurements["kind"] == RUN
    is_point = measurements["sweep"] != ""
    is_held_out = measurements["role"] == "held-out"
    held_out = measurements[is_run & is_held_out & ~is_point]
    accuracy = held_out.groupby("model", sort=False)["value"].mean()
    if accuracy.empty:
        return None
    return accuracy.idxmax()
