"""Why did my soup fail? Lengths, angles, barriers and the greedy trace of a set of ingredients."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch

from ..drawing.point_names import MANY
from ..drawing.style import (
    BLUE,
    GREY,
    TWO_COLUMNS,
    VERMILION,
    ZERO_LINE,
    row_names,
    tilted_names,
)
from ..drawing.texts import fit_text
from ..statistics.natural_order import natural
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="diagnosis",
    caption="""
**Why did my soup fail?** All numbers are plain accuracies on the held-out set. The panels show:
how far each ingredient moved from its initial weights, divided by the median; the accuracy of
each ingredient; a square with the cosine between each two updates (below the diagonal) and the
barrier of each pair (above it); and the steps of the greedy soup, with the accuracy after each
candidate (grey: left out). The barrier is how many points of accuracy the mean of the two weights
lies below the mean of the two models. With more than 20 ingredients, cosines are shown as
colours, and pairs have no numbers. Bars: {level}. The table explains the findings.
""",
)

RIGHT_HEIGHT = 6.2  # inches of the square and the trace, of many ingredients


@dataclass(frozen=True)
class _Panels:
    """The panels of the figure.

    Attributes:
        lengths: How far each ingredient moved.
        accuracies: Accuracy of each ingredient.
        square: Cosines and barriers of all pairs.
        trace: Steps of the greedy soup.
    """

    lengths: Axes
    accuracies: Axes
    square: Axes
    trace: Axes


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw four panels; without a greedy soup of these ingredients, three.

    Args:
        tables: "table", that of the analysis; its column ``row_type`` says what a row is of.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    alone = table[table["row_type"] == "accuracy"]
    names = sorted(alone["model"], key=natural)
    many = len(names) > MANY
    figure, panels = _panels(len(names), many=many)
    lengths = table[table["row_type"] == "update_norm"].set_index("model")["value"]
    _draw_lengths(panels.lengths, lengths.loc[names])
    cosines, barriers = _draw_square(panels.square, table, names, many=many)
    _draw_colour_bars(figure, panels.square, cosines, barriers)
    _draw_accuracies(panels.accuracies, alone.set_index("model").loc[names])
    for panel in (panels.lengths, panels.accuracies):
        panel.set_yticks(range(len(names)), row_names(names, 1.3))
        # From above to below, as the square.
        panel.set_ylim(len(names) - 0.4, -0.6)
        panel.grid(axis="y", visible=False)
    if many:
        _make_room(panels)
    _draw_trace(panels.trace, table[table["row_type"] == "greedy_step"], many=many)
    return figure, table


def _panels(count: int, *, many: bool) -> tuple[Figure, _Panels]:
    """The figure and its panels for so many ingredients."""
    if not many:
        size = (TWO_COLUMNS, 1.9 + 0.30 * count)
        figure = Figure(size, layout="constrained")
        upper, lower = figure.subplots(2, 2, width_ratios=(1, 1.25))
        lengths, square = upper
        accuracies, trace = lower
        return figure, _Panels(lengths, accuracies, square, trace)
    # A line of small type for each ingredient on the left; on the right a square, and the trace.
    height = max(RIGHT_HEIGHT, 0.9 + 0.095 * count)
    figure = Figure((TWO_COLUMNS, height), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    lengths, accuracies = left.subplots(1, 2)
    if height > 1.2 * RIGHT_HEIGHT:
        ratios = (RIGHT_HEIGHT, height - RIGHT_HEIGHT)
        right = right.subfigures(2, 1, height_ratios=ratios)[0]
    square, trace = right.subplots(2, 1, height_ratios=(2.6, 1))
    return figure, _Panels(lengths, accuracies, square, trace)


def _draw_lengths(panel: Axes, lengths: pd.Series) -> None:
    """Lengths of the updates as bars; 1 is the median."""
    panel.barh(
        range(len(lengths)),
        lengths,
        color=BLUE,
        height=0.6,
    )
    panel.axvline(1, **ZERO_LINE)
    panel.set_xlabel("Length of the update, over the median")


def _draw_accuracies(panel: Axes, alone: pd.DataFrame) -> None:
    """Accuracies of the ingredients with their intervals."""
    panel.errorbar(
        100 * alone["value"],
        range(len(alone)),
        xerr=_bars(alone),
        fmt="o",
        ms=3.6,
        color=BLUE,
        lw=0.8,
    )
    panel.set_xlabel("Alone, held-out accuracy (%)")


def _bars(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Lengths in points of the lower and the upper half of the intervals."""
    # errorbar takes lengths, and the table has ends.
    lower = 100 * abs(table["value"] - table["low"])
    upper = 100 * abs(table["value"] - table["high"])
    return lower, upper


def _make_room(panels: _Panels) -> None:
    """Make the texts at the left small, for many ingredients."""
    for panel in (panels.lengths, panels.accuracies):
        panel.tick_params(axis="y", labelsize=5.5)
    panels.accuracies.tick_params(axis="y", labelleft=False)
    panels.lengths.set_xlabel("Length of the update,\nover the median")
    panels.accuracies.set_xlabel("Alone, held-out\naccuracy (%)")


def _draw_colour_bars(
    figure: Figure,
    square: Axes,
    cosines: AxesImage | None,
    barriers: AxesImage,
) -> None:
    """A colour bar for the barriers, and one for the cosines where they have colours."""
    if cosines is None:
        figure.colorbar(
            barriers,
            ax=square,
            label="Barrier (points)",
            shrink=0.9,
        )
        return
    below = {
        "ax": square,
        "location": "bottom",
        "shrink": 0.7,
        "aspect": 35,
    }
    figure.colorbar(barriers, label="Barrier (points)", **below)
    figure.colorbar(cosines, label="Cosine", **below)


def _draw_trace(
    panel: Axes,
    steps: pd.DataFrame,
    *,
    many: bool,
) -> None:
    """Accuracy with every candidate of the greedy soup."""
    if steps.empty:
        panel.set_axis_off()
        panel.text(
            0.5,
            0.5,
            "no greedy soup of these ingredients",
            ha="center",
            color=GREY,
        )
        return
    _draw_steps(panel, steps, dot_area=5 if many else 16)
    if many:
        panel.set_xlabel("Candidates, in the order in which they were tried")
    else:
        names = [fit_text(f"+ {model}", 80, 7) for model in steps["model"]]
        tilted_names(panel, names, 40)
    panel.set_ylabel("Soup, held-out accuracy (%)")
    panel.legend(
        [Patch(color=VERMILION), Patch(color=GREY)],
        ["taken", "left out"],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderpad=0,
        ncols=2,
    )


def _draw_steps(
    panel: Axes,
    steps: pd.DataFrame,
    dot_area: float,
) -> None:
    """A dot and a bar per candidate; a line joins those that the soup has taken."""
    is_taken = steps["text"] == "accepted"
    colours = [VERMILION if taken else GREY for taken in is_taken]
    positions = range(len(steps))
    accuracy = 100 * steps["value"]
    panel.errorbar(
        positions,
        accuracy,
        yerr=_bars(steps),
        fmt="none",
        ecolor=colours,
        lw=0.8,
    )
    panel.scatter(
        positions,
        accuracy,
        s=dot_area,
        c=colours,
        zorder=3,
    )
    panel.plot(
        np.flatnonzero(is_taken),
        accuracy[is_taken],
        color=VERMILION,
        lw=0.8,
    )


def _draw_square(
    panel: Axes,
    table: pd.DataFrame,
    names: list[str],
    *,
    many: bool,
) -> tuple[AxesImage | None, AxesImage]:
    """Cosines below the diagonal and barriers above it; returns the images of both.

    Of few ingredients every pair has its number, and cosines have no colour.
    """
    cosines = _matrix(table, names, "cosine").T
    barriers = _matrix(table, names, "barrier")
    largest = _largest(barriers)
    cosine_image = None
    if many:
        cosine_image = panel.imshow(cosines, cmap="PuOr_r", vmin=-1, vmax=1)
    barrier_image = panel.imshow(
        barriers,
        cmap="RdBu_r",
        vmin=-largest,
        vmax=largest,
        aspect="equal" if many else "auto",
    )
    panel.set_title(_square_title(barriers), loc="left")
    panel.grid(visible=False)
    if many:
        panel.set(
            xticks=[],
            yticks=[],
            xlabel="Ingredients, ordered as at the left",
        )
    else:
        _write_numbers(panel, cosines, barriers, largest)
        short_names = row_names(names, 1.0)
        tilted_names(panel, short_names, 40)
        panel.set_yticks(range(len(names)), short_names)
    return cosine_image, barrier_image


def _largest(barriers: np.ndarray) -> float:
    """Where the scale of colours ends, in points; small barriers stay pale, so at least 1."""
    if not np.isfinite(barriers).any():
        return 1.0
    return max(1.0, np.nanmax(np.abs(barriers)))


def _square_title(barriers: np.ndarray) -> str:
    """The title of the square, which says where barriers are missing."""
    title = "Barrier (above), cosine (below)"
    count = len(barriers)
    pair_count = count * (count - 1) // 2
    measured_count = int(np.isfinite(barriers).sum())
    if measured_count < pair_count:
        title += f";\n{measured_count:,} of {pair_count:,} barriers were measured"
    return title


def _matrix(
    table: pd.DataFrame,
    names: list[str],
    row_type: str,
) -> np.ndarray:
    """Values of pairs above the diagonal, float64 [names, names]; NaN elsewhere."""
    matrix = np.full((len(names), len(names)), np.nan)
    index_of = {name: index for index, name in enumerate(names)}
    for row in table[table["row_type"] == row_type].itertuples():
        # A pair may stand in the table in either order.
        first, second = sorted((index_of[row.model], index_of[row.other_model]))
        matrix[first, second] = row.value
    return matrix


def _write_numbers(
    panel: Axes,
    cosines: np.ndarray,
    barriers: np.ndarray,
    largest: float,
) -> None:
    """The number of every pair that was measured."""
    count = len(barriers)
    size = 6 if count <= 10 else 60 / count
    centred = {
        "ha": "center",
        "va": "center",
        "fontsize": size,
    }
    for row, column in np.argwhere(np.isfinite(barriers)):
        barrier = barriers[row, column]
        # Black cannot be read on the darkest colours.
        colour = "white" if abs(barrier) > 0.6 * largest else "black"
        panel.text(column, row, f"{barrier:+.1f}", color=colour, **centred)
    for row, column in np.argwhere(np.isfinite(cosines)):
        panel.text(column, row, f"{cosines[row, column]:.2f}", **centred)
