"""Joint training on two data sets against mixing weights."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    VERMILION,
    balanced,
    finish,
    grid,
    panel_width,
    title,
)
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    draws="joint",
    caption="""
**Joint training or mixing?** Plain accuracy (the share of right answers) of every mix of the
zero-shot and a fine-tuned model minus that of a run that was trained on the training set and on
images of one more data set at once; above 0 the mix is better. A panel per data set, bands are
paired {level} intervals. The mix has seen no image of any shift. n: {sizes}.
""",
)

COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per data set, a curve per sweep and joint run."""
    table = tables["table"]
    places = list(table["on"].drop_duplicates())
    lines = list(
        table[["curve", "joint_run", "joint_with"]]
        .drop_duplicates()
        .itertuples(index=False)
    )
    columns = balanced(len(places), style["columns"])
    result, panels, spare = grid(len(places), columns, 1.8)
    legend = {}
    for panel, place in zip(panels, places):
        panel.axhline(0, color="#444444", lw=0.7)
        for i, (curve, run, second) in enumerate(lines):
            own = table[
                (table["on"] == place)
                & (table["curve"] == curve)
                & (table["joint_run"] == run)
            ]
            look = {
                "color": COLOURS[i % len(COLOURS)],
                "ls": ("-", "--", ":")[i // len(COLOURS) % 3],
            }
            panel.fill_between(
                own["alpha"],
                100 * own["low"],
                100 * own["high"],
                color=look["color"],
                alpha=0.15,
                linewidth=0,
            )
            panel.plot(own["alpha"], 100 * own["difference"], **look)
            legend[f"{curve} − {run} (with {second})"] = Line2D([], [], **look)
        title(panel, place, panel_width(columns))
        panel.set_xlim(0, 1)
        panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    finish(result, spare, legend, "α", "Mix minus joint training (points)")
    return result, table
