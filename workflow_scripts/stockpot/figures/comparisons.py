"""Every model against the best single model and the zero-shot model, with its interval."""

from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from ..drawing.style import (
    BLUE,
    GREY,
    ONE_COLUMN,
    RC,
    TWO_COLUMNS,
    ZERO_LINE,
    Legend,
    dots,
    handle,
    legend_outside,
    panel_title,
    row_names,
)
from ..drawing.texts import fit_text, text_width
from ..runtime.options import PluginOptions
from . import FigureDeclaration


class Options(PluginOptions):
    """Options of this figure."""

    significance: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="largest corrected p value that counts as significant; null: 1 - "
        "statistics.confidence",
    )


FIGURE = FigureDeclaration(
    options=Options,
    draws="comparisons",
    caption="""
**Comparisons.** Each row is a model. The figure shows its plain accuracy (the share of right
answers) minus that of the model named above the panel, on the reference and on {shifts}. The
model that is best under shift is on top. Bars: paired bootstrap of the examples, {level}. Filled
points are significant after Holm's correction for all tests of the table (exact McNemar test; for
the mean of the shifts, a permutation test). comparisons.csv has every data set. n: {sizes}.
""",
)

DOT_SIZE = 3.6  # points


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per model compared with and test set.

    The reference is on the left, the shifts on the right. Rows are ordered by the difference from
    the first model compared with, under shift.

    Args:
        tables: "table", that of the analysis.
        options: ``significance``.

    Returns:
        The figure, and the rows that it shows.
    """
    whole = tables["table"]
    # The first test set is the reference; the last one is the only shift or the mean of all.
    test_sets = [whole["dataset"].iloc[0], whole["dataset"].iloc[-1]]
    table = whole[whole["dataset"].isin(test_sets)]
    against = list(table["against"].drop_duplicates())
    test_sets = list(table["dataset"].drop_duplicates())
    models = ranked(table, against, test_sets)
    names = row_names(models, 1.7)
    columns = len(against) * len(test_sets)
    width = TWO_COLUMNS if columns > 2 else ONE_COLUMN + 1
    room = _panel_room(width, columns, names)
    figure = Figure((width, 0.9 + 0.135 * len(models)), layout="constrained")
    panels = figure.subplots(1, columns, sharey=True, squeeze=False)[0]
    level = options["significance"] or 1 - whole["confidence"].iloc[0]
    for panel, (other, test_set) in zip(panels, product(against, test_sets)):
        rows = table[(table["against"] == other) & (table["dataset"] == test_set)]
        _draw_differences(panel, rows, models, level)
        panel_title(panel, f"against {other}", room - 0.15)
        label = f"{test_set} (points)"
        panel.set_xlabel(fit_text(label, 72 * (room - 0.1), 8, lines=2))
        panel.set_ylim(-0.7, len(models) - 0.3)
    panels[0].set_yticks(range(len(models)), names)
    legend_outside(figure, _legend(), "upper right", most=2)
    return figure, table


def _legend() -> Legend:
    """What filled and hollow dots mean."""
    return {
        "significant after correction": handle(**dots(BLUE, DOT_SIZE)),
        "not significant": handle(**dots(GREY, DOT_SIZE, mfc="white")),
    }


def _panel_room(
    width: float,
    columns: int,
    names: list[str],
) -> float:
    """Inches of width that each panel has beside the names of the rows."""
    longest = max(text_width(name, RC["ytick.labelsize"]) for name in names)
    return (width - 0.3 - longest / 72) / columns


def _draw_differences(
    panel: Axes,
    rows: pd.DataFrame,
    models: list[str],
    level: float,
) -> None:
    """A dot and a bar per model; filled and blue where the difference is significant."""
    # A model is in the same row of every panel, whether it was compared or not.
    heights = [models.index(model) for model in rows["model"]]
    significant = rows["p_corrected"] <= level
    colours = [BLUE if is_significant else GREY for is_significant in significant]
    panel.axvline(0, **ZERO_LINE)
    panel.hlines(
        heights,
        100 * rows["low"],
        100 * rows["high"],
        colors=colours,
        lw=1,
    )
    for difference, y, colour in zip(rows["difference"], heights, colours):
        face = "white" if colour == GREY else colour
        panel.plot(100 * difference, y, **dots(colour, DOT_SIZE, mfc=face))


def ranked(
    table: pd.DataFrame,
    against: list[str],
    test_sets: list[str],
) -> list[str]:
    """Order models from the worst to the best under shift.

    Args:
        table: Differences, a row per model, model compared with and test set.
        against: The models compared with; the difference from the first one counts.
        test_sets: The last one is the shift, or the mean of the shifts.

    Returns:
        Names of the models. One that is compared only with others stands at its own difference
        from these, as that is 0.
    """
    under_shift = table[table["dataset"] == test_sets[-1]]
    # "against" gives the order of the models compared with.
    by_compared = under_shift.sort_values(
        "against",
        key=lambda column: column.map(against.index),
    )
    differences: dict[str, float] = {}
    for row in by_compared.itertuples():
        # The first difference of a model counts.
        differences.setdefault(row.model, row.difference)
    if against[0] in differences:
        differences[against[0]] = 0.0
    names = sorted(table["model"].drop_duplicates())
    return sorted(names, key=lambda name: differences.get(name, 0.0))
