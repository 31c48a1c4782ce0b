"""Joint training on two data sets against mixing weights."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from ..drawing.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    VERMILION,
    ZERO_LINE,
    alpha_ticks,
    balanced_columns,
    draw_band,
    handle,
    label_grid,
    line_pattern,
    panel_grid,
    panel_title,
    panel_width,
)
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    draws="joint",
    caption="""
**Joint training or mixing?** The figure shows the plain accuracy (the share of right answers) of
every mix of the zero-shot model and a fine-tuned model, minus that of one run. This run was
trained on the training set and on images of one more data set at once. Above 0, the mix is
better. There is one panel per data set. Bands are paired {level} intervals. The mix has seen no
image of any shift. n: {sizes}.
""",
)

COLOURS = (BLUE, ORANGE, GREEN, VERMILION, PURPLE)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per data set, with a line per sweep and joint run.

    Args:
        tables: "table", that of the analysis.
        options: ``columns``.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    test_sets = list(table["dataset"].drop_duplicates())
    # Every sweep is compared with every joint run.
    lines = table[["sweep", "joint_run", "second_dataset"]].drop_duplicates()
    columns = balanced_columns(len(test_sets), options["columns"])
    figure, panels, spare = panel_grid(len(test_sets), columns, height=1.8)
    legend = {}
    for panel, test_set in zip(panels, test_sets):
        panel.axhline(0, **ZERO_LINE)
        for i, line in enumerate(lines.itertuples(index=False)):
            is_of_line = (table["dataset"] == test_set) & (table["sweep"] == line.sweep)
            is_of_line &= table["joint_run"] == line.joint_run
            sweep = table[is_of_line]
            # Above 0 the mix is better than joint training.
            look = line_pattern(i, COLOURS)
            draw_band(panel, sweep["alpha"], sweep, look["color"])
            panel.plot(sweep["alpha"], 100 * sweep["difference"], **look)
            text = f"{line.sweep} − {line.joint_run} (with {line.second_dataset})"
            legend[text] = handle(**look)
        panel_title(panel, test_set, panel_width(columns))
        panel.set_xlim(0, 1)
        alpha_ticks(panel)
    label_grid(figure, spare, legend, "α", "Mix minus joint training (points)")
    return figure, table
