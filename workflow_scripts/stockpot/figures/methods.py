"""Every model by its name: what each method gives on the reference and under shift.

The sweeps are the frontier to beat: a method that lies on such a sweep gives what WiSE-FT gives
at some alpha.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from pydantic import Field

from ..drawing.model_colours import FAMILIES, WISE_FT, look
from ..drawing.point_names import PointName, draw_names
from ..drawing.robustness_axes import scatter_points, under_shift
from ..drawing.style import TWO_COLUMNS, Legend, accuracy_axis, handle, limits
from ..drawing.texts import fit_text
from ..merging import methods
from ..runtime.options import PluginOptions
from ..tables.measurements import BASELINE, SHIFT_MEAN, reference
from ..training import variants
from . import FigureDeclaration
from ._options import Intervals


class Options(PluginOptions):
    """Options of this figure."""

    points_below_best: float | None = Field(
        None,
        gt=0,
        description="range of reference accuracy that is shown, in points below the "
        "best; null: all models, except those far below the others",
    )
    intervals: Intervals = False


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Methods.** The figure shows every model, with its name if there is room for it. x is the
accuracy on the reference, y the accuracy on {shifts}. The lines are WiSE-FT sweeps from the
zero-shot model. A method on such a line gives what WiSE-FT gives at some alpha; a method beyond
it gives more. Selection and training see only the held-out set. Models far below the others on
the reference are named below the figure. measurements.csv has {level} intervals. n: {sizes}.
""",
)

# The names of the first groups are placed first; in the figure of cost, others have none.
GROUPS = ("weights", "outputs", "zero-shot", "fine-tuned", "linear")
IMPORTANT = GROUPS[:3]
NAME_SIZE = 5.6  # points of the names' type
NEAR_BEST = (
    5.0  # points of reference accuracy below the best that are in view in any case
)
NAMED_OUTSIDE = 5  # models outside the view that are named below it


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw every model with its name, and the sweeps as lines without names.

    Args:
        tables: "measurements".
        options: ``points_below_best`` and ``intervals``.

    Returns:
        The figure, and the measurements of all models except baselines.
    """
    measurements = tables["measurements"]
    table = scatter_points(measurements, SHIFT_MEAN, "linear")
    table = table[table["kind"] != BASELINE]
    sweeps = table[table["sweep"] != ""]
    # Points of sweeps have a target in the column "sweep".
    models = table[table["sweep"] == ""]
    models = models.assign(group=models["kind"].map(group_of))
    lowest = lowest_in_view(models, options["points_below_best"])
    is_in_view = models["reference_value"] >= lowest
    in_view = models[is_in_view]
    # Sweeps are drawn as a whole, but the parts out of view do not widen it.
    sweeps_in_view = sweeps[sweeps["reference_value"] >= lowest]
    figure, axes = _empty_figure()
    _set_view(axes, pd.concat([in_view, sweeps_in_view]))
    _draw_sweeps(axes, sweeps)
    if options["intervals"]:
        _draw_intervals(axes, in_view)
    legend = _draw_models(axes, in_view)
    if len(sweeps):
        legend["WiSE-FT sweeps"] = handle(color=WISE_FT, lw=1)
    # Last, as names avoid all points and lines.
    left_out = _draw_names(axes, in_view, sweeps)
    axes.set_xlabel(f"Accuracy on {reference(measurements)} (%)")
    axes.set_ylabel(under_shift(measurements))
    _draw_legend(figure, legend)
    _note_unnamed_models(figure, models[~is_in_view], left_out)
    return figure, pd.concat([models, sweeps])


def _empty_figure() -> tuple[Figure, Axes]:
    """The figure and its axes, with room for the legend on top and for notes below."""
    figure = Figure((TWO_COLUMNS, 5.6))
    # A fixed layout, as names need the final position of the axes.
    axes = figure.add_axes((0.075, 0.125, 0.915, 0.815))
    return figure, axes


def lowest_in_view(
    models: pd.DataFrame,
    points_below_best: float | None,
) -> float:
    """Find the least reference accuracy that is in view.

    Without it the view holds all models except outliers, which lie more than 1.5 interquartile
    ranges below the lower quartile (Tukey's fence). Models within 5 points of the best are in view
    in any case, and so is the best under shift, unless it is the zero-shot model.

    Args:
        models: Their columns reference_value, value and group are read.
        points_below_best: Points below the best that are in view, or None.

    Returns:
        The least accuracy, as a fraction.
    """
    reference_values = models["reference_value"]
    best = reference_values.max()
    if points_below_best is not None:
        return best - points_below_best / 100
    if reference_values.empty:
        return 0.0
    lower_quartile, upper_quartile = np.quantile(reference_values, [0.25, 0.75])
    interquartile_range = upper_quartile - lower_quartile
    # Tukey's fence: what lies below it is an outlier.
    fence = lower_quartile - 1.5 * interquartile_range
    near_best = best - NEAR_BEST / 100
    best_under_shift = best
    trained = models[models["group"] != "zero-shot"]
    if len(trained):
        best_row = trained["value"].idxmax()
        best_under_shift = trained.loc[best_row, "reference_value"]
    return min(fence, near_best, best_under_shift)


def group_of(kind: str) -> str:
    """Put a kind of model into a group.

    Args:
        kind: As tables call it.

    Returns:
        "weights" or "outputs" for what a merge mixes, "linear" or "fine-tuned" for what a run
        trains, else "zero-shot".
    """
    if kind in methods.names():
        if methods.mixes(kind) == "outputs":
            return "outputs"
        return "weights"
    if kind in variants.names():
        if kind.startswith("linear"):
            return "linear"
        return "fine-tuned"
    return "zero-shot"


def _set_view(axes: Axes, shown: pd.DataFrame) -> None:
    """Set the ends of both axes so that they hold all that is shown."""
    # Less margin than elsewhere: names may stand at the edge.
    x_ends = limits(shown["reference_value"], "linear", 0.04)
    y_ends = limits(shown["value"], "linear", 0.04)
    accuracy_axis(axes, "x", x_ends, "linear")
    accuracy_axis(axes, "y", y_ends, "linear")


def _draw_sweeps(axes: Axes, sweeps: pd.DataFrame) -> None:
    """Every sweep as a line, in the order of alpha."""
    for _, sweep in sweeps.groupby("sweep", sort=True):
        ordered = sweep.sort_values("alpha")
        axes.plot(
            ordered["reference_value"],
            ordered["value"],
            color=WISE_FT,
            lw=1,
            zorder=2,
        )


def _draw_intervals(axes: Axes, table: pd.DataFrame) -> None:
    """A cross of bars through every point."""
    bars = {
        "color": "#BBBBBB",
        "linewidth": 0.4,
        "zorder": 1,
    }
    axes.hlines(table["value"], table["reference_low"], table["reference_high"], **bars)
    axes.vlines(table["reference_value"], table["low"], table["high"], **bars)


def _draw_models(axes: Axes, in_view: pd.DataFrame) -> Legend:
    """A mark for every model; returns a legend with a patch per family of kinds."""
    legend: Legend = {}
    for kind, models in in_view.groupby("kind", sort=False):
        look_of_kind = look(kind)
        axes.plot(
            models["reference_value"],
            models["value"],
            zorder=5,
            **look_of_kind.small_mark,
        )
        # Marks tell kinds apart, but names do that, too: the legend has colours only.
        colour = look_of_kind.colour
        legend[FAMILIES[colour]] = Patch(color=colour)
    return legend


def _draw_legend(figure: Figure, legend: Legend) -> None:
    """The legend on top, in one line."""
    figure.legend(
        legend.values(),
        legend.keys(),
        loc="upper center",
        ncols=max(1, len(legend)),
        columnspacing=1.4,
        handletextpad=0.4,
    )


def _draw_names(
    axes: Axes,
    in_view: pd.DataFrame,
    sweeps: pd.DataFrame,
) -> list[str]:
    """Draw the names of models, and return those for which there was no room."""
    columns = ["reference_value", "value"]
    ordered = _by_importance(in_view)
    names = []
    for row in ordered.itertuples():
        name = PointName(
            text=row.model,
            x=row.reference_value,
            y=row.value,
            colour=look(row.kind).colour,
        )
        names.append(name)
    lines = []
    for _, sweep in sweeps.sort_values("alpha").groupby("sweep", sort=True):
        lines.append(sweep[columns].to_numpy())
    points = ordered[columns].to_numpy()
    return draw_names(axes, names, NAME_SIZE, points, lines)


def _by_importance(models: pd.DataFrame) -> pd.DataFrame:
    """Models in the order in which their names are placed: the best first, then by group."""
    is_best_under_shift = models["value"].eq(models["value"].max())
    reference_values = models["reference_value"]
    is_best_on_reference = reference_values.eq(reference_values.max())
    is_best = is_best_under_shift | is_best_on_reference
    # -1 is before all groups.
    rank = models["group"].map(GROUPS.index).where(~is_best, -1)
    return models.assign(rank=rank).sort_values(["rank", "value", "model"])


def _note_unnamed_models(
    figure: Figure,
    outside: pd.DataFrame,
    left_out: list[str],
) -> None:
    """Up to two lines below the axes, on models that are out of view or have no name there."""
    sentences = []
    if len(outside):
        sentences.append(_outside_sentence(outside))
    if left_out:
        sentences.append(
            f"No room for {len(left_out)} more names; see measurements.csv."
        )
    if sentences:
        room = 72 * (TWO_COLUMNS - 0.5)
        text = fit_text(" ".join(sentences), room, NAME_SIZE, lines=2)
        figure.text(
            0.012,
            0.012,
            text,
            fontsize=NAME_SIZE,
            color="#555555",
        )


def _outside_sentence(outside: pd.DataFrame) -> str:
    """The models left of the view with their accuracies; of many only the first ones."""
    # Farthest from the view first.
    rows = outside.sort_values(["reference_value", "model"])
    named = []
    for row in rows.head(NAMED_OUTSIDE).itertuples():
        name = fit_text(row.model, 90, NAME_SIZE)
        named.append(f"{name} ({100 * row.reference_value:.1f}, {100 * row.value:.1f})")
    text = "Left of view (reference, shift): " + ", ".join(named)
    more = len(rows) - len(named)
    if more:
        text += f", and {more} more, see measurements.csv"
    return text + "."
