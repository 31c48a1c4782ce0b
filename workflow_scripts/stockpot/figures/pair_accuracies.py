"""Soup against ensemble of two, and the angle between their updates (Model soups, figures 3, 4)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import BLUE, DASHES, GREY, TWO_COLUMNS, VERMILION
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="pairs",
    caption="""
**Soups and ensembles of two.** A dot per pair of runs, on the reference and on {shifts}. Left:
accuracy, or the data set's own metric, of the mean of their weights against that of the mean of
their logits; above the dashed line the soup is better. Right: what the soup gains over the mean of
its two members, against the angle between their updates; r is Pearson's correlation. n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Two panels for soup against ensemble, one for the angles."""
    table = places(tables["table"])
    result = Figure((TWO_COLUMNS, 2.6), layout="constrained")
    panels = result.subplots(1, 3)
    looks = dict(zip(table["on"].drop_duplicates(), (BLUE, VERMILION)))
    for panel, (place, colour) in zip(panels, looks.items()):
        own = table[table["on"] == place]
        ends = 100 * own[["soup", "ensemble"]].to_numpy()
        low, high = ends.min() - 0.2, ends.max() + 0.2
        panel.plot([low, high], [low, high], color=GREY, ls=DASHES, lw=0.7)
        panel.plot(
            100 * own["ensemble"], 100 * own["soup"], "o", ms=3.4, color=colour, mew=0
        )
        panel.set(
            xlabel="Ensemble (%)", ylabel="Soup (%)", xlim=(low, high), ylim=(low, high)
        )
        panel.set_title(place[:1].upper() + place[1:], loc="left")
    legend = {}
    for place, colour in looks.items():
        own = table[table["on"] == place]
        panels[2].plot(
            own["angle"], 100 * own["advantage"], "o", ms=3.4, color=colour, mew=0
        )
        r = own["angle"].corr(own["advantage"]) if len(own) > 2 else np.nan
        handle = Line2D([], [], marker="o", ls="", ms=3.4, color=colour)
        legend[f"{place}, r = {r:.2f}" if np.isfinite(r) else place] = handle
    panels[2].axhline(0, color="#444444", lw=0.7)
    panels[2].set(
        xlabel="Angle between updates (°)", ylabel="Soup over its two (points)"
    )
    panels[2].set_title("Interpolation advantage", loc="left")
    result.legend(legend.values(), legend.keys(), loc="outside upper right", ncols=2)
    return result, table


def places(table: pd.DataFrame) -> pd.DataFrame:
    """A row per pair on the reference, the first data set, and on the others or their mean."""
    first, *shifts = table["dataset"].drop_duplicates()
    under_shift = shifts[0] if len(shifts) == 1 else "mean of shifts"
    parts = []
    for place, part in (
        ("reference", table[table["dataset"] == first]),
        (under_shift, table[table["dataset"] != first]),
    ):
        means = (
            part.drop(columns="dataset").groupby(["one", "other"], sort=False).mean()
        )
        parts.append(means.reset_index().assign(on=place))
    return pd.concat(parts, ignore_index=True)
