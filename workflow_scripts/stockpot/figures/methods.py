"""Every model by its name: what each method gives on the reference and under shift.

The sweeps are the frontier to beat: a method that lies on such a curve gives what WiSE-FT gives
at some alpha.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..merging import methods
from ..statistics.tables import BASELINE, MEAN, reference
from ..training import variants
from .robustness_axes import points
from .style import BLACK, BLUE, GREEN, ORANGE, SKY, TWO_COLUMNS, VERMILION, accuracy_axis, limits

CAPTION = """
**Methods.** Every model by its name, on the reference (x) and on the mean of the shifts (y); the
lines are WiSE-FT sweeps from the zero-shot model. A method on such a line gives what WiSE-FT
gives at some alpha; one beyond it gives more. Selection and training see the held-out set alone.
{level} intervals are in measurements.csv. n: {sizes}.
"""
OPTIONS = {
    "span": {
        "description": "points of reference accuracy below the best that are in view",
        "type": "number",
        "exclusiveMinimum": 0,
        "default": 5.0,
    },
    "intervals": {"type": "boolean", "default": False},
}
# kind of model -> (legend text, marker, colour)
GROUPS = {
    "zero-shot": ("Zero-shot", "*", BLACK),
    "tuned": ("Fine-tuned end-to-end", "o", BLUE),
    "head": ("Linear classifier", "s", ORANGE),
    "weights": ("Weights mixed", "D", VERMILION),
    "outputs": ("Outputs mixed", "X", GREEN),
}
SIZE = 5.6  # points of the labels' type
# Where a label may stand beside its point: horizontal and vertical alignment, offset in points.
PLACES = [
    (h, v, dx * far, dy * far)
    for far in (1, 2.2, 3.6, 5)
    for h, v, dx, dy in (
        ("left", "center", 4, 0), ("right", "center", -4, 0), ("center", "bottom", 0, 3.5),
        ("center", "top", 0, -3.5), ("left", "bottom", 3, 2.5), ("right", "bottom", -3, 2.5),
        ("left", "top", 3, -2.5), ("right", "top", -3, -2.5),
    )
]  # fmt: skip


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Single models and soups with their names, and the sweeps as lines without."""
    table = points(tables["measurements"], MEAN, "linear")
    table = table[table["kind"] != BASELINE]
    single = table[table["curve"] == ""].assign(group=lambda t: t["kind"].map(group_of))
    best = single["reference_value"].max()
    inside = single["reference_value"] >= best - style["span"] / 100
    curves = table[table["curve"] != ""]
    near = curves[curves["reference_value"] >= best - style["span"] / 100]

    result = Figure((TWO_COLUMNS, 5.6))
    axes = result.add_axes((0.075, 0.115, 0.915, 0.825))
    shown = pd.concat([single[inside], near])
    accuracy_axis(axes, "x", limits(shown["reference_value"], "linear", 0.04), "linear")
    accuracy_axis(axes, "y", limits(shown["value"], "linear", 0.04), "linear")
    _draw_curves(axes, curves)
    if style["intervals"]:
        _draw_bars(axes, single[inside])
    legend = {}
    for group, (label, marker, colour) in GROUPS.items():
        own = single[inside & (single["group"] == group)]
        look = {"marker": marker, "color": colour, "ls": "", "ms": 8 if marker == "*" else 3.6}
        if len(own):
            axes.plot(own["reference_value"], own["value"], zorder=5, mew=0.3, mec="white", **look)
            legend[label] = Line2D([], [], **look)
    if len(curves):
        legend["WiSE-FT sweeps"] = Line2D([], [], color=SKY, lw=1)
    _draw_names(axes, single[inside], curves)
    axes.set_xlabel(f"Accuracy on {reference(tables['measurements'])} (%)")
    axes.set_ylabel("Mean accuracy under shift (%)")
    result.legend(
        legend.values(),
        legend.keys(),
        loc="upper center",
        ncols=len(legend),
        columnspacing=1.4,
        handletextpad=0.4,
    )
    _tell_what_is_outside(result, single[~inside])
    return result, pd.concat([single, curves])


def group_of(kind: str) -> str:
    if kind in methods.names():
        return "outputs" if methods.mixes(kind) == "outputs" else "weights"
    if kind in variants.names():
        return "head" if kind.startswith("linear") else "tuned"
    return "zero-shot"


def _draw_curves(axes: Axes, curves: pd.DataFrame) -> None:
    for _, curve in curves.groupby("curve", sort=True):
        curve = curve.sort_values("alpha")
        axes.plot(curve["reference_value"], curve["value"], color=SKY, lw=1, zorder=2)


def _draw_bars(axes: Axes, table: pd.DataFrame) -> None:
    bars = {"color": "#BBBBBB", "linewidth": 0.4, "zorder": 1}
    axes.hlines(table["value"], table["reference_low"], table["reference_high"], **bars)
    axes.vlines(table["reference_value"], table["low"], table["high"], **bars)


def _draw_names(axes: Axes, table: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Each name where it covers the least of points, curves and names that stand there already."""
    table = table.sort_values(["value", "model"])
    to_points = axes.transData.transform
    scale = 72 / axes.figure.dpi
    at = [tuple(to_points(xy) * scale) for xy in table[["reference_value", "value"]].to_numpy()]
    frame = axes.bbox.extents * scale
    taken = [(x - 2.5, y - 2.5, x + 2.5, y + 2.5) for x, y in at]
    for _, curve in curves.sort_values("alpha").groupby("curve", sort=True):
        along = to_points(curve[["reference_value", "value"]].to_numpy()) * scale
        steps = np.linspace(0, len(along) - 1, 40 * len(along))
        x, y = (np.interp(steps, np.arange(len(along)), along[:, i]) for i in (0, 1))
        taken += [(a - 0.6, b - 0.6, a + 0.6, b + 0.6) for a, b in zip(x, y)]
    for (x, y), row in zip(at, table.itertuples()):
        wide, high = 0.56 * SIZE * len(row.model), 1.15 * SIZE
        h, v, dx, dy = min(PLACES, key=lambda p: _cost(_box(x, y, wide, high, *p), taken, frame, p))
        taken.append(_box(x, y, wide, high, h, v, dx, dy))
        colour = GROUPS[row.group][2]
        axes.annotate(
            row.model, (row.reference_value, row.value), (dx, dy), textcoords="offset points",
            ha=h, va=v, fontsize=SIZE, color=colour, zorder=6,
            arrowprops={"arrowstyle": "-", "lw": 0.3, "color": colour, "shrinkA": 0, "shrinkB": 2}
            if abs(dx) + abs(dy) > 8 else None,
        )  # fmt: skip


def _box(x, y, wide, high, h, v, dx, dy) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of a label."""
    left = x + dx - {"left": 0, "center": wide / 2, "right": wide}[h]
    bottom = y + dy - {"bottom": 0, "center": high / 2, "top": high}[v]
    return left, bottom, left + wide, bottom + high


def _cost(box, taken, frame, place) -> float:
    """Area that a label covers of others and lies outside the frame, and its way from its point."""
    covered = sum(_overlap(box, other) for other in taken)
    wide, high = box[2] - box[0], box[3] - box[1]
    outside = wide * high - _overlap(box, frame)
    return 10 * covered + 100 * outside + 0.3 * (abs(place[2]) + abs(place[3]))


def _overlap(a, b) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, high)


def _tell_what_is_outside(figure: Figure, table: pd.DataFrame) -> None:
    if len(table):
        rows = table.sort_values(["reference_value", "model"])
        names = [
            f"{row.model} ({100 * row.reference_value:.1f}, {100 * row.value:.1f})"
            for row in rows.itertuples()
        ]
        text = "Left of view (reference, shift): " + ", ".join(names)
        figure.text(0.012, 0.012, text, fontsize=SIZE, color="#555555", wrap=True)
