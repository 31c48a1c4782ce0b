"""Accuracy and calibration against the number of ingredients (Model soups, figures B.1 and B.2)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..drawing.model_colours import look
from ..drawing.style import TWO_COLUMNS
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="growing",
    caption="""
**More ingredients.** The first k runs, mixed as uniform soup, greedy soup and logit ensemble, and
the best single one of them on held-out data: accuracy, or the data set's own metric (top), and
expected calibration error (bottom), on the reference (left) and on {shifts} (right). The greedy
soup keeps those that do not hurt on the held-out set; its members are in growing.csv. n: {sizes}.
""",
)

# Method, as the table calls it -> kind of model. Soups have one colour: the greedy one is dashed.
KINDS = {
    "uniform soup": "uniform",
    "greedy soup": "greedy",
    "logit ensemble": "logit-ensemble",
    "best single": "end-to-end",
}


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Accuracy above, calibration below; reference left, shifts right."""
    table = tables["table"]
    places = list(table["on"].drop_duplicates())
    result = Figure((TWO_COLUMNS, 3.9), layout="constrained")
    grid = result.subplots(2, len(places), sharex=True, squeeze=False)
    handles = {}
    for column, place in enumerate(places):
        for row, (measure, label) in enumerate(
            (("accuracy", "Accuracy (%)"), ("ece", "ECE (points)"))
        ):
            panel = grid[row][column]
            for method, kind in KINDS.items():
                own = table[
                    (table["on"] == place) & (table["method"] == method)
                ].sort_values("k")
                dashes = "--" if kind == "greedy" else "-"
                line = {
                    **look(kind).mark,
                    "ls": dashes,
                    "markersize": 4,
                    "markeredgewidth": 0,
                }
                panel.plot(own["k"], 100 * own[measure], **line)
                handles[method] = Line2D([], [], **line)
            panel.set_ylabel(label)
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        grid[0][column].set_title(place[:1].upper() + place[1:], loc="left")
        grid[1][column].set_xlabel("Number of runs k")
    result.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4)
    return result, table
