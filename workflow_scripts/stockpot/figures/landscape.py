"""Loss and error on the plane through three models (Model soups, figure 2)."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.tri import Triangulation
from pydantic import Field

from ..drawing.style import TWO_COLUMNS
from ..drawing.texts import fit
from ..runtime.options import PluginOptions
from . import FigureDeclaration


class Options(PluginOptions):
    levels: int = Field(14, ge=2, description="number of levels of colour")


FIGURE = FigureDeclaration(
    options=Options,
    draws="landscape",
    caption="""
**Error landscape.** The plane through the zero-shot model (star) and two fine-tuned models
(dots): training loss, error on the reference and mean error under shift, darker is lower; the
cross is the lowest point of the grid (of errors, an oracle). Distances are true: lengths and the
angle between the updates are those of the weights, in lengths of the first update. Small marks
are the mixes that were evaluated. n: {sizes}.
""",
)

OUTLINED = [withStroke(linewidth=1.5, foreground="white")]
PANELS = (
    ("train_loss", "Training loss (nats)", 1),
    ("reference_error", "Reference error (%)", 100),
    ("shift_error", "Mean shift error (%)", 100),
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Three panels over the same plane."""
    table = tables["table"]
    table = table[np.isfinite(table[[column for column, *_ in PANELS]]).all(axis=1)]
    one, other = table[["one", "other"]].iloc[0]
    plane = Triangulation(table["x"], table["y"])
    tall = np.ptp(table["y"]) / np.ptp(table["x"])
    result = Figure((TWO_COLUMNS, min(4.5, 0.9 + 1.95 * tall)), layout="constrained")
    for panel, (column, title, factor) in zip(
        result.subplots(1, 3, sharey=True), PANELS
    ):
        values = factor * table[column]
        # Far corners may be a hundred times worse; what matters is around the models.
        most = max(np.quantile(values, 0.9), values.min() + 1e-6)
        levels = np.linspace(values.min(), most, style["levels"])
        filled = panel.tricontourf(
            plane, values, levels=levels, cmap="viridis", extend="max"
        )
        filled.set_rasterized(True)
        result.colorbar(
            filled, ax=panel, location="bottom", shrink=0.9, format="%.3g"
        ).ax.locator_params(nbins=4)
        panel.plot(table["x"], table["y"], ".", ms=1, color="white", alpha=0.5)
        for (s, t), marker, name in (
            ((0, 0), "*", "zero-shot"),
            ((1, 0), "o", one),
            ((0, 1), "o", other),
        ):
            at = table[np.isclose(table["s"], s) & np.isclose(table["t"], t)].iloc[0]
            size = 9 if marker == "*" else 5
            panel.plot(
                at["x"], at["y"], marker, ms=size, color="black", mec="white", mew=0.7
            )
            right = at["x"] > table["x"].mean()
            panel.annotate(
                fit(name, 60, 6),
                (at["x"], at["y"]),
                (-5 if right else 5, 5),
                fontsize=6,
                textcoords="offset points",
                ha="right" if right else "left",
                path_effects=OUTLINED,
            )
        low = table.loc[table[column].idxmin()]
        panel.plot(low["x"], low["y"], "x", ms=5, color="white", mew=1.3)
        panel.set_title(title, loc="left")
        panel.set_aspect("equal")
        panel.grid(visible=False)
    return result, table
