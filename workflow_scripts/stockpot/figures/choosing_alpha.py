"""Choosing alpha: what every selector chooses, and what it misses."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.style import (
    BLACK,
    BLUE,
    GREY,
    TWO_COLUMNS,
    VERMILION,
    dots,
    handle,
    short_legend,
)
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="choosing-alpha",
    caption="""
**Choosing alpha.** Each row is a way to choose alpha. Each dot is a sweep, and the bar is the
mean. Left: the chosen alpha. Middle and right: regret, which is how many points the chosen alpha
has less than the best alpha of the same sweep, on {shifts}, and on the mean of reference and
shifts. A regret of 0 is as good as knowing the test labels. Selectors see only held-out data,
corrupted held-out images or unlabelled images of the shifts. The grey rows are oracles, which
choose on the test sets. n: {sizes}.
""",
)

DOT_SIZE = 3.2  # points
# Column, label of the axis, and factor from fractions to points.
PANELS = (
    ("alpha", "α chosen", 1),
    ("regret_shifts", "Missed under shift (points)", 100),
    ("regret_both", "Missed on both (points)", 100),
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw three panels: alpha, regret under shift, and regret on both.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    # matplotlib counts rows from below; the first one of the table is to be on top.
    labels = list(table["selector_label"].drop_duplicates())[::-1]
    targets = sorted(table["sweep"].unique())
    height = 0.9 + 0.24 * len(labels)  # inches, per row
    figure = Figure((TWO_COLUMNS, height), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for panel, (column, axis_label, factor) in zip(panels, PANELS):
        for y, label in enumerate(labels):
            rows = table[table["selector_label"] == label]
            heights = [y + _offset(target, targets) for target in rows["sweep"]]
            is_oracle = "oracle" in label
            values = factor * rows[column]
            _draw_row(panel, values, y, heights, is_oracle=is_oracle)
        panel.set_xlabel(axis_label)
        panel.margins(x=0.06)
        panel.grid(axis="y", visible=False)
    panels[0].set_yticks(range(len(labels)), labels)
    panels[0].set_xlim(-0.05, 1.05)
    panels[0].set_ylim(-0.6, len(labels) - 0.4)
    legend = {
        "one sweep": handle(**dots(BLUE, DOT_SIZE, alpha=0.55)),
        "mean": handle(color=VERMILION, lw=1.6),
    }
    short_legend(figure, legend, "upper right", 2)
    return figure, table


def _offset(target: str, targets: list[str]) -> float:
    """How far above the middle of its row the dot of a sweep stands."""
    # So that dots of equal alphas do not hide each other.
    spread = 0.14
    steps_from_middle = targets.index(target) - (len(targets) - 1) / 2
    return spread * steps_from_middle / max(len(targets) / 2, 1)


def _draw_row(
    panel: Axes,
    values: pd.Series,
    y: float,
    heights: list[float],
    *,
    is_oracle: bool,
) -> None:
    """A dot per sweep, and a bar at their mean."""
    # Oracles choose on the test sets, and are no way to choose: they stay grey.
    colour = GREY if is_oracle else BLUE
    panel.plot(values, heights, **dots(colour, DOT_SIZE, alpha=0.55, mew=0))
    mean = values.mean()
    panel.plot(
        [mean, mean],
        [y - 0.32, y + 0.32],
        color=BLACK if is_oracle else VERMILION,
        lw=1.6,
        solid_capstyle="butt",
    )
