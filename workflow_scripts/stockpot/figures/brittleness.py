"""How much hangs on a hyperparameter: reference and shift, with and without mixing."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..drawing.robustness_axes import shifts_name
from ..drawing.style import BLUE, VERMILION, dots, handle, label_grid, panel_grid
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    draws="brittleness",
    caption="""
**Brittleness.** Each panel shows the accuracy of every end-to-end run against one hyperparameter,
on the reference and on {shifts}. Hollow points show the average of the run and the zero-shot
model at alpha 0.5, if the run is swept. The numbers are Spearman's rank correlations for the
reference and the shifts. Runs of a random search differ in all hyperparameters at once. n:
{sizes}.
""",
)

# Column -> text of the legend, colour of the edge and of the face of its dots.
LOOKS = {
    "reference": ("Reference", BLUE, BLUE),
    "shifts": ("{shifts}", VERMILION, VERMILION),
    "alpha_half_reference": ("Reference, α = 0.5", BLUE, "white"),
    "alpha_half_shifts": ("{shifts}, α = 0.5", VERMILION, "white"),
}


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per hyperparameter that differs between runs.

    Args:
        tables: "table", that of the analysis, and "measurements" where there are some.
        options: ``columns``.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    names = list(table["hyperparameter"].drop_duplicates())
    columns = min(options["columns"], len(names))
    figure, panels, spare = panel_grid(len(names), columns, height=2.3)
    shifts = shifts_name(tables)
    legend = {}
    for panel, name in zip(panels, names):
        is_hyperparameter = table["hyperparameter"] == name
        runs = table[is_hyperparameter].sort_values("value")
        for column, (text, colour, face) in LOOKS.items():
            # Without a sweep of any run there is no mix.
            if runs[column].isna().all():
                continue
            look = dots(colour, 3.6, mfc=face)
            panel.plot(runs["value"], 100 * runs[column], **look)
            legend_text = text.format(shifts=shifts)
            legend[legend_text] = handle(**look)
        _scale_values(panel, runs["value"])
        panel.set_title(_title(name, runs), loc="left")
    label_grid(figure, spare, legend, "Hyperparameter", "Accuracy (%)")
    return figure, table


def _scale_values(panel: Axes, values: pd.Series) -> None:
    """Make the x axis logarithmic where the values differ by a factor of more than 4."""
    smallest = values.min()
    largest = values.max()
    differ_much = smallest > 0 and largest / smallest > 4
    if not differ_much:
        return
    panel.set_xscale("log")
    # Labels at 1, 2 and 5 would touch each other on a wide axis.
    ticks_per_decade: tuple[int, ...] = (1, 2, 5)
    if largest / smallest > 20:
        ticks_per_decade = (1,)
    locator = LogLocator(subs=ticks_per_decade, numticks=5)
    panel.xaxis.set_major_locator(locator)
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.xaxis.set_minor_formatter(NullFormatter())


def _title(name: str, runs: pd.DataFrame) -> str:
    """The hyperparameter, and Spearman's rank correlations on reference and shift."""
    ranks = runs[["rank_correlation_reference", "rank_correlation_shifts"]].iloc[0]
    # Equal values have no rank correlation.
    texts = ["–" if np.isnan(rank) else f"{rank:+.2f}" for rank in ranks]
    ranks_text = ", ".join(texts)
    hyperparameter = name.replace("_", " ")
    return f"{hyperparameter}\nρ {ranks_text}"
