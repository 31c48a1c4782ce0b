"""Template of a figure: copy to stockpot/figures/<name>.py, and change it.

This one draws the accuracy of every model on the reference. A figure of an analysis names it in
``draws``, and finds its table in ``tables["table"]``.
"""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..drawing.style import BLUE, ONE_COLUMN
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    caption="""
**Reference accuracy.** One bar per model. n: {sizes}.
""",
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw the figure.

    Args:
        tables: The tables of the study, "measurements" among them.
        options: The options of the entry; this figure has none.

    Returns:
        The figure, and the data that it shows.
    """
    measurements = tables["measurements"]
    bars = measurements[measurements["role"] == "reference"]
    figure = Figure((ONE_COLUMN, 0.8 + 0.15 * len(bars)), layout="constrained")
    axes = figure.subplots()
    axes.barh(bars["model"], 100 * bars["value"], color=BLUE)
    axes.set_xlabel("Accuracy on the reference (%)")
    return figure, bars
