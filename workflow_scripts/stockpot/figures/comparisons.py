"""Every model against the best single model and the zero-shot model, with its interval."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import BLUE, GREY, ONE_COLUMN, TWO_COLUMNS

DRAWS = "comparisons"
CAPTION = """
**Comparisons.** Difference in plain accuracy, the share of right answers, of every model (row) from
the one named above the panel, on the reference and on the mean of the shifts. Bars: paired
bootstrap of the examples, {level}. Filled: significant after Holm's correction for all tests of the
table (exact McNemar test; for the mean of the shifts a permutation test). Every data set is in
comparisons.csv. n: {sizes}.
"""
OPTIONS = {
    "significance": {
        "description": "largest corrected p that counts; null: 1 - statistics.confidence",
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
        "exclusiveMaximum": 1,
        "default": None,
    }
}


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A column of panels per model compared with; reference on the left, shifts on the right."""
    whole = tables["table"]
    table = whole[whole["on"].isin([whole["on"].iloc[0], whole["on"].iloc[-1]])]
    level = style["significance"] or 1 - whole["confidence"].iloc[0]
    against = list(table["against"].drop_duplicates())
    models = list(table["model"].drop_duplicates())[::-1]
    places = list(table["on"].drop_duplicates())
    wide = TWO_COLUMNS if len(against) * len(places) > 2 else ONE_COLUMN + 1
    result = Figure((wide, 0.9 + 0.135 * len(models)), layout="constrained")
    panels = result.subplots(1, len(against) * len(places), sharey=True, squeeze=False)[0]
    for panel, (other, place) in zip(panels, [(a, p) for a in against for p in places]):
        own = table[(table["against"] == other) & (table["on"] == place)]
        y = [models.index(m) for m in own["model"]]
        sure = own["p_corrected"] <= level
        colours = [BLUE if s else GREY for s in sure]
        panel.axvline(0, color="#444444", lw=0.7)
        panel.hlines(y, 100 * own["low"], 100 * own["high"], colors=colours, lw=1)
        for value, at, colour, s in zip(own["difference"], y, colours, sure):
            panel.plot(100 * value, at, "o", ms=3.6, color=colour, mfc=colour if s else "white")
        panel.set_title(f"against {other}", loc="left")
        panel.set_xlabel(f"{place} (points)")
        panel.set_ylim(-0.7, len(models) - 0.3)
    panels[0].set_yticks(range(len(models)), models)
    handles = [
        Line2D([], [], marker="o", ls="", ms=3.6, color=BLUE),
        Line2D([], [], marker="o", ls="", ms=3.6, color=GREY, mfc="white"),
    ]
    texts = ["significant after correction", "not significant"]
    result.legend(handles, texts, loc="outside upper right", ncols=2)
    return result, table
