"""Whom the mix follows where its ends disagree (WiSE-FT, figure 5 middle and right)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..drawing.style import (
    BLACK,
    BLUE,
    TWO_COLUMNS,
    panel_title,
    panel_width,
    short_legend,
    tilted_names,
)
from ..drawing.texts import fit_text
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="overrides",
    caption="""
**Overrides and margins.** There is one row per sweep. Left: the share of examples on which the
zero-shot and the fine-tuned model differ, and the equal mean of their logits answers as one or as
the other. Right: the margins of the two models. A margin is the mean difference between the
largest and the second largest logit; the model with the larger margin decides. n: {sizes}.
""",
)

# Columns of the bars, left and right of each tick, with their colours.
OVERRIDES = {
    "zero_shot_overrides": BLACK,
    "target_overrides": BLUE,
}
MARGINS = {"zero_shot_margin": BLACK, "target_margin": BLUE}


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw two panels per sweep: overrides and margins.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    targets = list(table["sweep"].drop_duplicates())
    sets = list(table["dataset"].drop_duplicates())
    height = 0.9 + 1.45 * len(targets)  # inches, per row of panels
    figure = Figure((TWO_COLUMNS, height), layout="constrained")
    grid = figure.subplots(len(targets), 2, squeeze=False, sharex=True)
    for (left, right), target in zip(grid, targets):
        sweep = table[table["sweep"] == target].set_index("dataset").loc[sets]
        # Overrides are fractions of the examples, and margins are differences of logits.
        _draw_bars(left, sweep, OVERRIDES, factor=100)
        _draw_bars(right, sweep, MARGINS, factor=1)
        left.set_ylabel("Examples (%)")
        right.set_ylabel("Margin")
        panel_title(left, f"Overrides, zero-shot and {target}", panel_width(2))
        panel_title(right, f"Margins, zero-shot and {target}", panel_width(2))
    names = [fit_text(name, 90, 7) for name in sets]
    for panel in grid[-1]:
        tilted_names(panel, names, 30)
    legend = {
        "zero-shot": Patch(color=BLACK),
        "fine-tuned": Patch(color=BLUE),
    }
    short_legend(figure, legend, "upper right", 2)
    return figure, table


def _draw_bars(
    panel: Axes,
    sweep: pd.DataFrame,
    colours: dict[str, str],
    factor: float,
) -> None:
    """Two bars per data set, side by side."""
    for shift, (column, colour) in zip((-0.2, 0.2), colours.items()):
        positions = [x + shift for x in range(len(sweep))]
        panel.bar(positions, factor * sweep[column], 0.36, color=colour)
    panel.grid(axis="x", visible=False)
