"""How far every mix lies above the straight line between the ends (WiSE-FT, section 5.2)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.style import (
    BLUE,
    DARK_GREY,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    ZERO_LINE,
    alpha_ticks,
    balanced_columns,
    dots,
    draw_band,
    handle,
    label_grid,
    line_pattern,
    panel_grid,
    panel_title,
    panel_width,
)
from ..tables.equal_models import equal_groups, legend_texts
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    draws="chords",
    caption="""
**Observations 1 and 2.** Each curve is a sweep, and there is one panel per data set. The figure
shows the plain accuracy (the share of right answers) of each mix, minus the accuracy on the chord
between its two end models, in points. Bands are paired {level} intervals. Observation 1 of
WiSE-FT: the curve is above 0 at every alpha. Observation 2: some mix is better than both end
models. A filled dot is an alpha whose accuracy is above that of the better end model by more than
its interval. The test set says which end model is better (oracle), and the interval is pointwise,
not corrected for the number of alphas. n: {sizes}.
""",
)

COLOURS = (BLUE, GREEN, ORANGE, VERMILION, PURPLE, SKY)
DOT_SIZE = 3  # points


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per data set, and one for the mean of the shifts.

    Args:
        tables: "table", that of the analysis.
        options: ``columns``.

    Returns:
        The figure, and the whole table.
    """
    # "dataset" is the name of a data set, or of the mean of the shifts.
    table = tables["table"]
    test_sets = list(table["dataset"].drop_duplicates())
    targets = list(table["sweep"].drop_duplicates())
    columns = balanced_columns(len(test_sets), options["columns"])
    figure, panels, spare = panel_grid(len(test_sets), columns, height=1.8)
    # A sweep looks the same in all panels.
    looks = {target: line_pattern(i, COLOURS) for i, target in enumerate(targets)}
    for panel, test_set in zip(panels, test_sets):
        panel.axhline(0, **ZERO_LINE)
        of_test_set = table[table["dataset"] == test_set]
        for target, look in looks.items():
            _draw_sweep(panel, of_test_set[of_test_set["sweep"] == target], look)
        panel_title(panel, test_set, panel_width(columns))
        panel.set_xlim(0, 1)
        alpha_ticks(panel)
    # Sweeps that lie under others, as they are equal, say which.
    equal_sweeps = equal_groups(table, "sweep", ["alpha", "dataset"], "distance")
    texts = legend_texts({target: f"to {target}" for target in targets}, equal_sweeps)
    legend = {texts[target]: handle(**look) for target, look in looks.items()}
    legend["Better than both ends"] = handle(**dots(DARK_GREY, DOT_SIZE))
    label_grid(figure, spare, legend, "α", "Above the chord (points)")
    return figure, table


def _draw_sweep(
    panel: Axes,
    sweep: pd.DataFrame,
    look: dict[str, Any],
) -> None:
    """Distances from the chord on one data set, with dots where both ends are beaten."""
    colour = look["color"]
    draw_band(panel, sweep["alpha"], sweep, colour)
    panel.plot(sweep["alpha"], 100 * sweep["distance"], **look)
    # Observation 2 of WiSE-FT: the interval over the better end excludes 0.
    better = sweep[sweep["gain_over_better_end_low"] > 0]
    panel.plot(better["alpha"], 100 * better["distance"], **dots(colour, DOT_SIZE))
