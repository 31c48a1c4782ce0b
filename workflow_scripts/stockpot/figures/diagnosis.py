"""Why did my soup fail? Lengths, angles, barriers and the greedy trace of a set of ingredients."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..drawing.labels import MANY
from ..drawing.style import BLUE, GREY, TWO_COLUMNS, VERMILION, row_names
from ..drawing.texts import fit
from ..statistics.order import natural
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="diagnosis",
    caption="""
**Why did my soup fail?** All on the held-out set, in plain accuracy. How far each ingredient moved
from the start, over the median; each ingredient alone; below the diagonal of the square the cosine
between two updates, above it the barrier of the pair, the points of accuracy that the mean of the
two weights lies below the mean of the two; and the greedy soup's trace, the accuracy with every
candidate; grey was left out. Of more than 20 ingredients cosines are colours, and no pair has a
number. Bars: {level}. What it says is in the table.
""",
)

RIGHT = 6.2  # inches of height of the square and the trace, of many ingredients


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Four panels; without a greedy soup of these ingredients, three."""
    table = tables["table"]
    alone = table[table["what"] == "alone"]
    names, steps = sorted(alone["model"], key=natural), table[table["what"] == "step"]
    alone = alone.set_index("model").loc[names]
    many = len(names) > MANY
    result, norms, single, matrix, trace = _panels(len(names), many)
    lengths = table[table["what"] == "norm"].set_index("model")["value"].loc[names]
    norms.barh(range(len(names)), lengths, color=BLUE, height=0.6)
    norms.axvline(1, color="#444444", lw=0.7)
    norms.set_xlabel("Length of the update, over the median")
    cosines, barriers = _matrix(matrix, table, names, many)
    if many:
        place = {"ax": matrix, "location": "bottom", "shrink": 0.7, "aspect": 35}
        result.colorbar(barriers, label="Barrier (points)", **place)
        result.colorbar(cosines, label="Cosine", **place)
    else:
        result.colorbar(barriers, ax=matrix, label="Barrier (points)", shrink=0.9)
    low, high = (100 * abs(alone["value"] - alone[end]) for end in ("low", "high"))
    single.errorbar(
        100 * alone["value"],
        range(len(names)),
        xerr=(low, high),
        fmt="o",
        ms=3.6,
        color=BLUE,
        lw=0.8,
    )
    single.set_xlabel("Alone, held-out accuracy (%)")
    for panel in (norms, single):
        panel.set_yticks(range(len(names)), row_names(names, 1.3))
        panel.set_ylim(len(names) - 0.4, -0.6)
        panel.grid(axis="y", visible=False)
    if many:
        for panel in (norms, single):
            panel.tick_params(axis="y", labelsize=5.5)
        single.tick_params(axis="y", labelleft=False)
        norms.set_xlabel("Length of the update,\nover the median")
        single.set_xlabel("Alone, held-out\naccuracy (%)")
    _trace(trace, steps, many)
    return result, table


def _panels(n: int, many: bool) -> tuple[Figure, Axes, Axes, Axes, Axes]:
    """The figure, and its panels: lengths, accuracies alone, pairs, and the trace."""
    if not many:
        result = Figure((TWO_COLUMNS, 1.9 + 0.30 * n), layout="constrained")
        (norms, matrix), (single, trace) = result.subplots(2, 2, width_ratios=(1, 1.25))
        return result, norms, single, matrix, trace
    # A line of small type for each ingredient on the left; on the right a square, and the trace.
    height = max(RIGHT, 0.9 + 0.095 * n)
    result = Figure((TWO_COLUMNS, height), layout="constrained")
    left, right = result.subfigures(1, 2, width_ratios=(1, 1.15))
    norms, single = left.subplots(1, 2)
    if height > 1.2 * RIGHT:
        right = right.subfigures(2, 1, height_ratios=(RIGHT, height - RIGHT))[0]
    matrix, trace = right.subplots(2, 1, height_ratios=(2.6, 1))
    return result, norms, single, matrix, trace


def _trace(panel: Axes, steps: pd.DataFrame, many: bool) -> None:
    """Accuracy with every candidate of the greedy soup."""
    if steps.empty:
        panel.set_axis_off()
        panel.text(
            0.5, 0.5, "no greedy soup of these ingredients", ha="center", color=GREY
        )
        return
    colours = [VERMILION if text == "in" else GREY for text in steps["text"]]
    low, high = (100 * abs(steps["value"] - steps[end]) for end in ("low", "high"))
    panel.errorbar(
        range(len(steps)),
        100 * steps["value"],
        yerr=(low, high),
        fmt="none",
        ecolor=colours,
        lw=0.8,
    )
    size = 5 if many else 16
    panel.scatter(range(len(steps)), 100 * steps["value"], s=size, c=colours, zorder=3)
    kept = [x for x, text in enumerate(steps["text"]) if text == "in"]
    panel.plot(kept, 100 * steps["value"].iloc[kept], color=VERMILION, lw=0.8)
    if many:
        panel.set_xlabel("Candidates, in the order in which they were tried")
    else:
        names = [fit(f"+ {model}", 80, 7) for model in steps["model"]]
        panel.set_xticks(
            range(len(steps)), names, rotation=40, ha="right", rotation_mode="anchor"
        )
    panel.set_ylabel("Soup, held-out accuracy (%)")
    handles = [Patch(color=VERMILION), Patch(color=GREY)]
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "borderpad": 0, "ncols": 2}
    panel.legend(handles, ["taken", "left out"], **place)


def _matrix(axes: Axes, table: pd.DataFrame, names: list[str], many: bool):
    """Cosines below the diagonal, barriers above it in colour; returns the two images.

    Of few ingredients every pair has its number, and cosines have no colour.
    """
    n = len(names)
    at = {name: i for i, name in enumerate(names)}
    cosines, barriers = np.full((n, n), np.nan), np.full((n, n), np.nan)
    for row in table[table["what"].isin(["barrier", "cosine"])].itertuples():
        i, j = sorted((at[row.model], at[row.other]))
        if row.what == "barrier":
            barriers[i, j] = row.value
        else:
            cosines[j, i] = row.value
    measured, pairs = int(np.isfinite(barriers).sum()), n * (n - 1) // 2
    most = max(1.0, np.nanmax(np.abs(barriers))) if measured else 1.0
    shown_cosines = None
    if many:
        shown_cosines = axes.imshow(cosines, cmap="PuOr_r", vmin=-1, vmax=1)
    shown_barriers = axes.imshow(
        barriers,
        cmap="RdBu_r",
        vmin=-most,
        vmax=most,
        aspect="equal" if many else "auto",
    )
    title = "Barrier (above), cosine (below)"
    if measured < pairs:
        title += f";\n{measured:,} of {pairs:,} barriers were measured"
    axes.set_title(title, loc="left")
    axes.grid(visible=False)
    if many:
        axes.set(xticks=[], yticks=[], xlabel="Ingredients, ordered as at the left")
        return shown_cosines, shown_barriers
    size = 6 if n <= 10 else 60 / n
    for i, j in zip(*np.nonzero(np.isfinite(barriers))):
        colour = "white" if abs(barriers[i, j]) > 0.6 * most else "black"
        axes.text(
            j,
            i,
            f"{barriers[i, j]:+.1f}",
            ha="center",
            va="center",
            fontsize=size,
            color=colour,
        )
    for i, j in zip(*np.nonzero(np.isfinite(cosines))):
        axes.text(j, i, f"{cosines[i, j]:.2f}", ha="center", va="center", fontsize=size)
    short = row_names(names, 1.0)
    axes.set_xticks(range(n), short, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n), short)
    return shown_cosines, shown_barriers
