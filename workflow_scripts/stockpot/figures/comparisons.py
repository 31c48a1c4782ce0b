"""Every model against the best single model and the zero-shot model, with its interval."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pydantic import Field

from ..drawing.style import (
    BLUE,
    GREY,
    ONE_COLUMN,
    RC,
    TWO_COLUMNS,
    legend_outside,
    row_names,
    title,
)
from ..drawing.texts import fit, width
from ..runtime.options import PluginOptions
from . import FigureDeclaration


class Options(PluginOptions):
    significance: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="largest corrected p that counts; null: 1 - statistics.confidence",
    )


FIGURE = FigureDeclaration(
    options=Options,
    draws="comparisons",
    caption="""
**Comparisons.** Difference in plain accuracy, the share of right answers, of every model (row) from
the one named above the panel, on the reference and on {shifts}, best under shift on top. Bars:
paired bootstrap of the examples, {level}. Filled: significant after Holm's correction for all tests
of the table (exact McNemar test; for the mean of the shifts a permutation test). Every data set is
in comparisons.csv. n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A column of panels per model compared with; reference on the left, shifts on the right.

    Rows are ordered by the difference from the first of these under shift.
    """
    whole = tables["table"]
    table = whole[whole["on"].isin([whole["on"].iloc[0], whole["on"].iloc[-1]])]
    level = style["significance"] or 1 - whole["confidence"].iloc[0]
    against = list(table["against"].drop_duplicates())
    places = list(table["on"].drop_duplicates())
    models = ranked(table, against, places)
    columns = len(against) * len(places)
    wide = TWO_COLUMNS if columns > 2 else ONE_COLUMN + 1
    names = row_names(models, 1.7)
    room = (
        wide - 0.3 - max(width(name, RC["ytick.labelsize"]) for name in names) / 72
    ) / columns
    result = Figure((wide, 0.9 + 0.135 * len(models)), layout="constrained")
    panels = result.subplots(1, columns, sharey=True, squeeze=False)[0]
    for panel, (other, place) in zip(panels, [(a, p) for a in against for p in places]):
        own = table[(table["against"] == other) & (table["on"] == place)]
        y = [models.index(m) for m in own["model"]]
        sure = own["p_corrected"] <= level
        colours = [BLUE if s else GREY for s in sure]
        panel.axvline(0, color="#444444", lw=0.7)
        panel.hlines(y, 100 * own["low"], 100 * own["high"], colors=colours, lw=1)
        for value, at, colour, s in zip(own["difference"], y, colours, sure):
            panel.plot(
                100 * value, at, "o", ms=3.6, color=colour, mfc=colour if s else "white"
            )
        title(panel, f"against {other}", room - 0.15)
        panel.set_xlabel(fit(f"{place} (points)", 72 * (room - 0.1), 8, lines=2))
        panel.set_ylim(-0.7, len(models) - 0.3)
    panels[0].set_yticks(range(len(models)), names)
    handles = [
        Line2D([], [], marker="o", ls="", ms=3.6, color=BLUE),
        Line2D([], [], marker="o", ls="", ms=3.6, color=GREY, mfc="white"),
    ]
    texts = ["significant after correction", "not significant"]
    legend_outside(result, dict(zip(texts, handles)), "upper right", most=2)
    return result, table


def ranked(table: pd.DataFrame, against: list[str], places: list[str]) -> list[str]:
    """Models from the worst to the best under shift, over the first model compared with.

    One that is compared with others alone stands at its own difference from these, as that is 0.
    """
    under_shift = table[table["on"] == places[-1]]
    order = {}
    for row in under_shift.sort_values(
        "against", key=lambda c: c.map(against.index)
    ).itertuples():
        order.setdefault(row.model, row.difference)
    if against[0] in order:
        order[against[0]] = 0.0
    names = sorted(table["model"].drop_duplicates())
    return sorted(names, key=lambda name: order.get(name, 0.0))
