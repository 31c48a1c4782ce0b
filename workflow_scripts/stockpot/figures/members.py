"""What every choice of ingredients gives a soup of towers on this task."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..drawing.style import (
    BLUE,
    ONE_COLUMN,
    VERMILION,
    ZERO_LINE,
    dots,
    handle,
    row_names,
    short_legend,
)
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="members",
    caption="""
**Which ingredients?** Each row is a soup of the towers of runs on several tasks, under this
task's zero-shot head. The figure shows its plain accuracy (the share of right answers) on the
reference, minus that of the zero-shot model, for every choice of ingredients. Blue: no ingredient
has seen this task. Red: one has. Bars: paired {level} intervals. n: {sizes}.
""",
)

DOT_SIZE = 3.6  # points


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a row per choice of ingredients.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    # Rows are counted from below; the first one of the table is to be on top.
    rows = table.iloc[::-1]
    size = (ONE_COLUMN + 1.4, 0.8 + 0.15 * len(rows))  # inches, per row
    figure = Figure(size, layout="constrained")
    axes = figure.subplots()
    axes.axvline(0, **ZERO_LINE)
    for y, row in enumerate(rows.itertuples()):
        # An ingredient that was trained on this task gains for a plain reason.
        colour = VERMILION if row.includes_own_task else BLUE
        axes.plot(
            [100 * row.low, 100 * row.high],
            [y, y],
            color=colour,
            lw=1,
        )
        axes.plot(100 * row.gain_over_zero_shot, y, **dots(colour, DOT_SIZE))
    axes.set_yticks(range(len(rows)), row_names(rows["ingredients"], 2.6))
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_xlabel("Over zero-shot on the reference (points)")
    legend = {
        "task not seen": handle(**dots(BLUE, DOT_SIZE)),
        "task seen": handle(**dots(VERMILION, DOT_SIZE)),
    }
    short_legend(figure, legend, "upper center", 2)
    return figure, table
