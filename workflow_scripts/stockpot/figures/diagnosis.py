"""Why did my soup fail? Lengths, angles, barriers and the greedy trace of a set of ingredients."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from .style import BLUE, GREY, TWO_COLUMNS, VERMILION

DRAWS = "diagnosis"
CAPTION = """
**Why did my soup fail?** All on the held-out set, in plain accuracy. Top left: how far each
ingredient moved from the start, over the median. Top right: below the diagonal the cosine between
two updates, above it the barrier of the pair, the points of accuracy that the mean of the two
weights lies below the mean of the two. Bottom left: each ingredient alone. Bottom right: the greedy
soup's trace, the accuracy with every candidate; grey was left out. Bars: {level}. What it says is
in the table.
"""
OPTIONS = {}


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Four panels; without a greedy soup of these ingredients, three."""
    table = tables["table"]
    alone = table[table["what"] == "alone"]
    names, steps = list(alone["model"]), table[table["what"] == "step"]
    result = Figure((TWO_COLUMNS, 1.9 + 0.30 * len(names)), layout="constrained")
    (norms, matrix), (single, trace) = result.subplots(2, 2, width_ratios=(1, 1.25))
    lengths = table[table["what"] == "norm"].set_index("model")["value"].loc[names]
    norms.barh(range(len(names)), lengths, color=BLUE, height=0.6)
    norms.axvline(1, color="#444444", lw=0.7)
    norms.set_xlabel("Length of the update, over the median")
    _matrix(matrix, table, names)
    result.colorbar(matrix.images[0], ax=matrix, label="Barrier (points)", shrink=0.9)
    low, high = (100 * abs(alone["value"] - alone[end]) for end in ("low", "high"))
    single.errorbar(100 * alone["value"], range(len(names)), xerr=(low, high), fmt="o", ms=3.6,
                    color=BLUE, lw=0.8)  # fmt: skip
    single.set_xlabel("Alone, held-out accuracy (%)")
    for panel in (norms, single):
        panel.set_yticks(range(len(names)), names)
        panel.set_ylim(len(names) - 0.4, -0.6)
        panel.grid(axis="y", visible=False)
    if steps.empty:
        trace.set_axis_off()
        trace.text(0.5, 0.5, "no greedy soup of these ingredients", ha="center", color=GREY)
        return result, table
    colours = [VERMILION if text == "in" else GREY for text in steps["text"]]
    low, high = (100 * abs(steps["value"] - steps[end]) for end in ("low", "high"))
    trace.errorbar(range(len(steps)), 100 * steps["value"], yerr=(low, high), fmt="none",
                   ecolor=colours, lw=0.8)  # fmt: skip
    trace.scatter(range(len(steps)), 100 * steps["value"], s=16, c=colours, zorder=3)
    kept = [x for x, text in enumerate(steps["text"]) if text == "in"]
    trace.plot(kept, 100 * steps["value"].iloc[kept], color=VERMILION, lw=0.8)
    trace.set_xticks(range(len(steps)), [f"+ {m}" for m in steps["model"]], rotation=40, ha="right",
                     rotation_mode="anchor")  # fmt: skip
    trace.set_ylabel("Soup, held-out accuracy (%)")
    handles = [Patch(color=VERMILION), Patch(color=GREY)]
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderpad": 0, "ncols": 2}
    trace.legend(handles, ["taken", "left out"], **place)
    return result, table


def _matrix(axes, table: pd.DataFrame, names: list[str]) -> None:
    """Cosines below the diagonal as numbers, barriers above it in colour."""
    n = len(names)
    barriers = np.full((n, n), np.nan)
    for row in table[table["what"] == "barrier"].itertuples():
        i, j = sorted((names.index(row.model), names.index(row.other)))
        barriers[i, j] = row.value
    most = max(1.0, np.nanmax(np.abs(barriers)))
    axes.imshow(barriers, cmap="RdBu_r", vmin=-most, vmax=most, aspect="auto")
    size = 6 if n <= 10 else 60 / n
    for row in table[table["what"].isin(["barrier", "cosine"])].itertuples():
        i, j = sorted((names.index(row.model), names.index(row.other)))
        at, form = ((j, i), "{:+.1f}") if row.what == "barrier" else ((i, j), "{:.2f}")
        dark = row.what == "barrier" and abs(row.value) > 0.6 * most
        axes.text(*at, form.format(row.value), ha="center", va="center", fontsize=size,
                  color="white" if dark else "black")  # fmt: skip
    axes.set_xticks(range(n), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n), names)
    axes.set_title("Barrier (above), cosine (below)", loc="left")
    axes.grid(visible=False)
