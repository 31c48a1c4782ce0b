"""Whom the mix follows where its ends disagree (WiSE-FT, figure 5 middle and right)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..drawing.style import BLACK, BLUE, TWO_COLUMNS, panel_width, title
from ..drawing.texts import fit
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="overrides",
    caption="""
**Overrides and margins.** Left of each pair: share of examples on which zero-shot and fine-tuned
model differ and the mix of their logits in equal parts answers as the one or as the other. Right:
their margins, the mean distance of the largest from the second largest logit; the larger one
decides. A row per sweep. n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Two panels per sweep: shares and margins."""
    table = tables["table"]
    curves, sets = (list(table[c].drop_duplicates()) for c in ("curve", "dataset"))
    result = Figure((TWO_COLUMNS, 0.9 + 1.45 * len(curves)), layout="constrained")
    grid = result.subplots(len(curves), 2, squeeze=False, sharex=True)
    at = range(len(sets))
    for row, curve in zip(grid, curves):
        own = table[table["curve"] == curve].set_index("dataset").loc[sets]
        for panel, columns, factor in (
            (row[0], ("zero_shot_overrides", "tuned_overrides"), 100),
            (row[1], ("zero_shot_margin", "tuned_margin"), 1),
        ):
            for shift, column, colour in zip((-0.2, 0.2), columns, (BLACK, BLUE)):
                panel.bar(
                    [x + shift for x in at], factor * own[column], 0.36, color=colour
                )
            panel.grid(axis="x", visible=False)
        row[0].set_ylabel("Examples (%)")
        row[1].set_ylabel("Margin")
        title(row[0], f"Overrides, zero-shot and {curve}", panel_width(2))
        title(row[1], f"Margins, zero-shot and {curve}", panel_width(2))
    for panel in grid[-1]:
        names = [fit(name, 90, 7) for name in sets]
        panel.set_xticks(at, names, rotation=30, ha="right", rotation_mode="anchor")
    handles = [Patch(color=BLACK), Patch(color=BLUE)]
    result.legend(
        handles, ["zero-shot", "fine-tuned"], loc="outside upper right", ncols=2
    )
    return result, table
