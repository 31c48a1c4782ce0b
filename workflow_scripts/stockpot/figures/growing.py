"""Accuracy and calibration against the number of ingredients (Model soups, figures B.1 and B.2)."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..drawing.model_colours import look
from ..drawing.style import TWO_COLUMNS, handle, short_legend, upper_first
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="growing",
    caption="""
**More ingredients.** The first k runs are merged to a uniform soup, a greedy soup and a logit
ensemble; the best single run among them, on held-out data, is shown too. Top: accuracy, or the
data set's own metric. Bottom: expected calibration error. Left: on the reference. Right: on
{shifts}. The greedy soup keeps runs that do not lower the held-out accuracy; growing.csv has
their number. n: {sizes}.
""",
)

# Method, as the table calls it -> kind of model.
KINDS = {
    "uniform soup": "uniform",
    "greedy soup": "greedy",
    "logit ensemble": "logit-ensemble",
    "best single": "end-to-end",
}
# Column -> label of its axis, from top to bottom.
MEASURES = {
    "accuracy": "Accuracy (%)",
    "ece": "ECE (points)",
}


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw accuracy above and calibration below; the reference on the left, shifts on the right.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    test_sets = list(table["dataset"].drop_duplicates())
    figure = Figure((TWO_COLUMNS, 3.9), layout="constrained")
    grid = figure.subplots(
        len(MEASURES),
        len(test_sets),
        sharex=True,
        squeeze=False,
    )
    # A method looks the same in all panels.
    lines = {method: _line(kind) for method, kind in KINDS.items()}
    for column, test_set in enumerate(test_sets):
        # k is the number of ingredients.
        of_test_set = table[table["dataset"] == test_set].sort_values("run_count")
        for panels, (measure, label) in zip(grid, MEASURES.items()):
            panel = panels[column]
            for method, line in lines.items():
                steps = of_test_set[of_test_set["method"] == method]
                panel.plot(steps["run_count"], 100 * steps[measure], **line)
            panel.set_ylabel(label)
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        grid[0][column].set_title(upper_first(test_set), loc="left")
        grid[1][column].set_xlabel("Number of runs k")
    legend = {method: handle(**line) for method, line in lines.items()}
    short_legend(figure, legend, "upper center", 4)
    return figure, table


def _line(kind: str) -> dict[str, Any]:
    """Properties of a method's line. Soups have one colour, so the greedy one is dashed."""
    return {
        **look(kind).mark,
        "ls": "--" if kind == "greedy" else "-",
        "markersize": 4,
        "markeredgewidth": 0,
    }
