"""The loss of a soup minus that of the ensemble, and its approximation (Model soups)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import BLUE, DASHES, GREY, TWO_COLUMNS, VERMILION
from . import FigureDeclaration
from .pair_accuracies import places

FIGURE = FigureDeclaration(
    draws="pairs",
    caption="""
**When is a soup as good as the ensemble?** A dot per pair of runs. Left and middle: the loss of
the mean of weights minus that of the mean of logits, in nats, against the papers' approximation
from the curvature of the loss along the path and the variance of the change of the logits; on the
dashed line the two agree. Right: the difference of the losses against that of the errors. Logits
are scaled by the inverse temperature that calibrates the soup on held-out data. n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Approximation on the reference and under shift, then losses against errors."""
    table = places(tables["table"])
    table["error"] = table["ensemble"] - table["soup"]
    result = Figure((TWO_COLUMNS, 2.5), layout="constrained")
    panels = result.subplots(1, 3)
    looks = dict(zip(table["on"].drop_duplicates(), (BLUE, VERMILION)))
    legend = {}
    for panel, (place, colour) in zip(panels, looks.items()):
        own = table[table["on"] == place]
        both = own[["true", "approximation"]].to_numpy()
        space = 0.08 * np.ptp(both) or 0.01
        ends = (both.min() - space, both.max() + space)
        panel.plot(ends, ends, color=GREY, ls=DASHES, lw=0.7)
        panel.plot(own["true"], own["approximation"], "o", ms=3.4, color=colour, mew=0)
        panel.set(xlabel="True difference (nats)", ylabel="Approximation (nats)")
        panel.set_title(place[:1].upper() + place[1:], loc="left")
        panel.locator_params(nbins=4)
    for place, colour in looks.items():
        own = table[table["on"] == place]
        look = {"ms": 3.4, "color": colour, "mew": 0}
        panels[2].plot(own["true"], 100 * own["error"], "o", **look)
        legend[place] = Line2D([], [], marker="o", ls="", **look)
    panels[2].axhline(0, color="#444444", lw=0.7)
    panels[2].axvline(0, color="#444444", lw=0.7)
    panels[2].set(xlabel="Soup − ensemble, loss (nats)", ylabel="Error (points)")
    panels[2].set_title("Loss and error", loc="left")
    panels[2].locator_params(nbins=4)
    result.legend(legend.values(), legend.keys(), loc="outside upper right", ncols=2)
    return result, table
