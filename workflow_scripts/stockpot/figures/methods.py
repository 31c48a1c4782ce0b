"""Every model by its name: what each method gives on the reference and under shift.

The sweeps are the frontier to beat: a method that lies on such a curve gives what WiSE-FT gives
at some alpha.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from pydantic import Field

from ..drawing.labels import Name, draw_names
from ..drawing.model_colours import FAMILIES, WISE_FT, look
from ..drawing.robustness_axes import points, under_shift
from ..drawing.style import TWO_COLUMNS, accuracy_axis, limits
from ..drawing.texts import fit
from ..merging import methods
from ..runtime.options import PluginOptions
from ..tables.measurements import BASELINE, MEAN, reference
from ..training import variants
from . import FigureDeclaration
from ._options import Intervals


class Options(PluginOptions):
    span: float | None = Field(
        None,
        gt=0,
        description="points of reference accuracy below the best that are in view; null: all "
        "models but those far below the others",
    )
    intervals: Intervals = False


FIGURE = FigureDeclaration(
    options=Options,
    caption="""
**Methods.** Every model by its name, where there is room for it, on the reference (x) and on
{shifts} (y); the lines are WiSE-FT sweeps from the zero-shot model. A method on such a line gives
what WiSE-FT gives at some alpha; one beyond it gives more. Selection and training see the held-out
set alone. Models far below the others on the reference are named below the figure. {level}
intervals are in measurements.csv. n: {sizes}.
""",
)

# The names of the first groups are placed first; in the figure of cost, others have none.
GROUPS = ("weights", "outputs", "zero-shot", "tuned", "head")
IMPORTANT = GROUPS[:3]
SIZE = 5.6  # points of the names' type
FEW = 5.0  # points of reference accuracy below the best that are in view in any case
NAMED_OUTSIDE = 5  # models outside the view that are named below it


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Single models and soups with their names, and the sweeps as lines without."""
    table = points(tables["measurements"], MEAN, "linear")
    table = table[table["kind"] != BASELINE]
    single = table[table["curve"] == ""].assign(group=lambda t: t["kind"].map(group_of))
    lowest = lowest_in_view(single, style["span"])
    inside = single["reference_value"] >= lowest
    curves = table[table["curve"] != ""]
    near = curves[curves["reference_value"] >= lowest]

    result = Figure((TWO_COLUMNS, 5.6))
    axes = result.add_axes((0.075, 0.125, 0.915, 0.815))
    shown = pd.concat([single[inside], near])
    accuracy_axis(axes, "x", limits(shown["reference_value"], "linear", 0.04), "linear")
    accuracy_axis(axes, "y", limits(shown["value"], "linear", 0.04), "linear")
    _draw_curves(axes, curves)
    if style["intervals"]:
        _draw_bars(axes, single[inside])
    legend = {}
    for kind, models in single[inside].groupby("kind", sort=False):
        axes.plot(
            models["reference_value"],
            models["value"],
            zorder=5,
            **look(kind).small_mark,
        )
        legend[FAMILIES[look(kind).colour]] = Patch(color=look(kind).colour)
    if len(curves):
        legend["WiSE-FT sweeps"] = Line2D([], [], color=WISE_FT, lw=1)
    left_out = _draw_names(axes, single[inside], curves)
    axes.set_xlabel(f"Accuracy on {reference(tables['measurements'])} (%)")
    axes.set_ylabel(under_shift(tables["measurements"]))
    result.legend(
        legend.values(),
        legend.keys(),
        loc="upper center",
        ncols=max(1, len(legend)),
        columnspacing=1.4,
        handletextpad=0.4,
    )
    _tell_what_is_not_named(result, single[~inside], left_out)
    return result, pd.concat([single, curves])


def lowest_in_view(single: pd.DataFrame, span: float | None) -> float:
    """The least reference accuracy that is in view.

    Without a span the view holds all models but outliers, which lie more than 1.5 interquartile
    ranges below the lower quartile (Tukey's fence); those within 5 points of the best, and the best
    under shift but for the zero-shot model, are in view whatever the others are.
    """
    values = single["reference_value"]
    best = values.max()
    if span is not None:
        return best - span / 100
    if values.empty:
        return 0.0
    lower, upper = np.quantile(values, [0.25, 0.75])
    made = single[single["group"] != "zero-shot"]
    under_shift_best = (
        made.loc[made["value"].idxmax(), "reference_value"] if len(made) else best
    )
    fence = lower - 1.5 * (upper - lower)
    return min(fence, best - FEW / 100, under_shift_best)


def group_of(kind: str) -> str:
    if kind in methods.names():
        return "outputs" if methods.mixes(kind) == "outputs" else "weights"
    if kind in variants.names():
        return "head" if kind.startswith("linear") else "tuned"
    return "zero-shot"


def _draw_curves(axes: Axes, curves: pd.DataFrame) -> None:
    for _, curve in curves.groupby("curve", sort=True):
        curve = curve.sort_values("alpha")
        axes.plot(
            curve["reference_value"], curve["value"], color=WISE_FT, lw=1, zorder=2
        )


def _draw_bars(axes: Axes, table: pd.DataFrame) -> None:
    bars = {"color": "#BBBBBB", "linewidth": 0.4, "zorder": 1}
    axes.hlines(table["value"], table["reference_low"], table["reference_high"], **bars)
    axes.vlines(table["reference_value"], table["low"], table["high"], **bars)


def _draw_names(axes: Axes, table: pd.DataFrame, curves: pd.DataFrame) -> list[str]:
    """Names of soups and other mixes first; returns those that found no room."""
    best = table["value"].eq(table["value"].max()) | (
        table["reference_value"].eq(table["reference_value"].max())
    )
    rank = table["group"].map(GROUPS.index).where(~best, -1)
    table = table.assign(rank=rank).sort_values(["rank", "value", "model"])
    names = [
        Name(row.model, row.reference_value, row.value, look(row.kind).colour)
        for row in table.itertuples()
    ]
    at = ["reference_value", "value"]
    lines = [
        curve[at].to_numpy()
        for _, curve in curves.sort_values("alpha").groupby("curve", sort=True)
    ]
    return draw_names(axes, names, SIZE, table[at].to_numpy(), lines)


def _tell_what_is_not_named(
    figure: Figure, outside: pd.DataFrame, left_out: list[str]
) -> None:
    """Up to two lines below the axes."""
    sentences = []
    if len(outside):
        rows = outside.sort_values(["reference_value", "model"])
        named = [
            f"{fit(row.model, 90, SIZE)} ({100 * row.reference_value:.1f}, {100 * row.value:.1f})"
            for row in rows.head(NAMED_OUTSIDE).itertuples()
        ]
        more = len(rows) - len(named)
        text = "Left of view (reference, shift): " + ", ".join(named)
        sentences.append(
            text + (f", and {more} more, see measurements.csv" if more else "") + "."
        )
    if left_out:
        sentences.append(
            f"No room for {len(left_out)} more names; see measurements.csv."
        )
    if sentences:
        text = fit(" ".join(sentences), 72 * (TWO_COLUMNS - 0.5), SIZE, lines=2)
        figure.text(0.012, 0.012, text, fontsize=SIZE, color="#555555")
