"""Soup against ensemble of two, and the angle between their updates (Model soups, figures 3, 4)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.style import (
    BLUE,
    DASHES,
    GREY,
    TWO_COLUMNS,
    VERMILION,
    ZERO_LINE,
    dots,
    handle,
    short_legend,
    upper_first,
)
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="pairs",
    caption="""
**Soups and ensembles of two.** Each dot is a pair of runs, on the reference and on {shifts}.
Left: accuracy, or the data set's own metric, of the mean of their weights against that of the
mean of their logits. Above the dashed line, the soup is better. Right: gain of the soup over the
mean of its two ingredients, against the angle between their updates. r is Pearson's correlation.
n: {sizes}.
""",
)

DOT_SIZE = 3.4  # points
COLOURS = (BLUE, VERMILION)  # of the reference and of the shifts


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw two panels for soup against ensemble, and one for the angles.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and a row per pair on the reference and under shift.
    """
    table = reference_and_shift(tables["table"])
    figure = Figure((TWO_COLUMNS, 2.6), layout="constrained")
    *soup_panels, angle_panel = figure.subplots(1, 3)
    colours = dict(zip(table["dataset"].drop_duplicates(), COLOURS))
    legend = {}
    # The panel of the angles has both colours.
    for panel, (test_set, colour) in zip(soup_panels, colours.items()):
        pairs = table[table["dataset"] == test_set]
        _draw_soups(panel, pairs, colour)
        panel.set_title(upper_first(test_set), loc="left")
        advantage = 100 * pairs["interpolation_advantage"]
        angle_panel.plot(pairs["angle"], advantage, **dots(colour, DOT_SIZE, mew=0))
        legend[_legend_text(test_set, pairs)] = handle(**dots(colour, DOT_SIZE))
    angle_panel.axhline(0, **ZERO_LINE)
    angle_panel.set(
        xlabel="Angle between updates (°)",
        ylabel="Soup over its two (points)",
    )
    angle_panel.set_title("Interpolation advantage", loc="left")
    short_legend(figure, legend, "upper right", 2)
    return figure, table


def _draw_soups(
    panel: Axes,
    pairs: pd.DataFrame,
    colour: str,
) -> None:
    """A dot per pair; above the dashed line the soup is better than the ensemble."""
    soups = 100 * pairs["soup_accuracy"]
    ensembles = 100 * pairs["ensemble_accuracy"]
    # Both axes have the same ends, so that the line is the diagonal.
    low = min(soups.min(), ensembles.min()) - 0.2
    high = max(soups.max(), ensembles.max()) + 0.2
    panel.plot(
        [low, high],
        [low, high],
        color=GREY,
        ls=DASHES,
        lw=0.7,
    )
    panel.plot(ensembles, soups, **dots(colour, DOT_SIZE, mew=0))
    panel.set(
        xlabel="Ensemble (%)",
        ylabel="Soup (%)",
        xlim=(low, high),
        ylim=(low, high),
    )


def _legend_text(test_set: str, pairs: pd.DataFrame) -> str:
    """The test set, with Pearson's correlation of angle and advantage where there is one."""
    # A line goes through any two points.
    if len(pairs) <= 2:
        return test_set
    correlation = pairs["angle"].corr(pairs["interpolation_advantage"])
    if not np.isfinite(correlation):
        return test_set
    return f"{test_set}, r = {correlation:.2f}"


def reference_and_shift(table: pd.DataFrame) -> pd.DataFrame:
    """Average the rows of every pair over the shifts.

    Args:
        table: A row per pair and data set; the first data set is the reference.

    Returns:
        A row per pair on the reference, and one on the only shift or the mean of the shifts. The
        column ``dataset`` says which.
    """
    reference, *shifts = table["dataset"].drop_duplicates()
    under_shift = shifts[0] if len(shifts) == 1 else "mean of shifts"
    is_reference = table["dataset"] == reference
    return pd.concat(
        [
            _means(table[is_reference], "reference"),
            _means(table[~is_reference], under_shift),
        ],
        ignore_index=True,
    )


def _means(table: pd.DataFrame, test_set: str) -> pd.DataFrame:
    """The mean of every pair over its rows."""
    # Pairs stay in the order of the table.
    pairs = table.drop(columns="dataset").groupby(["model", "other_model"], sort=False)
    return pairs.mean().reset_index().assign(dataset=test_set)
