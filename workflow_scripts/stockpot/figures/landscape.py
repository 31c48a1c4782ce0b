"""Loss and error on the plane through three models (Model soups, figure 2)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.tri import Triangulation
from pydantic import Field

from ..drawing.style import TWO_COLUMNS
from ..drawing.texts import fit_text
from ..runtime.options import PluginOptions
from . import FigureDeclaration


class Options(PluginOptions):
    """Options of this figure."""

    levels: int = Field(14, ge=2, description="number of levels of colour")


FIGURE = FigureDeclaration(
    options=Options,
    draws="landscape",
    caption="""
**Error landscape.** The plane goes through the zero-shot model (star) and two fine-tuned models
(dots). The panels show training loss, error on the reference and mean error under shift; darker
is lower. The cross is the lowest point of the grid (for errors, an oracle). Distances are true:
lengths and the angle between the updates are those of the weights, in units of the length of the
first update. Small marks are the mixes that were evaluated. n: {sizes}.
""",
)

OUTLINED = [withStroke(linewidth=1.5, foreground="white")]
# Column, title of the panel, and factor from fractions to percent.
PANELS = (
    ("train_loss", "Training loss (nats)", 1),
    ("reference_error", "Reference error (%)", 100),
    ("shift_error", "Mean shift error (%)", 100),
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw three panels over the same plane.

    Args:
        tables: "table", that of the analysis: a row per mix, with its coordinates x and y.
        options: ``levels``.

    Returns:
        The figure, and the rows of which everything is finite.
    """
    table = tables["table"]
    # A mix far away may have no finite loss; contours need a number everywhere.
    columns = [column for column, *_ in PANELS]
    table = table[np.isfinite(table[columns]).all(axis=1)]
    plane = Triangulation(table["x"], table["y"])
    # Distances are true, so that the shape of the plane is that of the panels.
    aspect = np.ptp(table["y"]) / np.ptp(table["x"])
    height = min(4.5, 0.9 + 1.95 * aspect)
    figure = Figure((TWO_COLUMNS, height), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for panel, (column, title, factor) in zip(panels, PANELS):
        _draw_surface(panel, plane, factor * table[column], options["levels"])
        panel.plot(
            table["x"],
            table["y"],
            ".",
            ms=1,
            color="white",
            alpha=0.5,
        )
        _draw_models(panel, table)
        # The cross is the best mix of those that were evaluated.
        lowest = table.loc[table[column].idxmin()]
        panel.plot(
            lowest["x"],
            lowest["y"],
            "x",
            ms=5,
            color="white",
            mew=1.3,
        )
        panel.set_title(title, loc="left")
        panel.set_aspect("equal")
        panel.grid(visible=False)
    return figure, table


def _draw_surface(
    panel: Axes,
    plane: Triangulation,
    values: pd.Series,
    level_count: int,
) -> None:
    """Values on the plane as levels of colour, with a colour bar below."""
    # Far corners may be a hundred times worse; what matters is around the models. So the
    # highest level is the 90 % quantile, or a little more than the lowest one if all are equal.
    highest = max(np.quantile(values, 0.9), values.min() + 1e-6)
    filled = panel.tricontourf(
        plane,
        values,
        levels=np.linspace(values.min(), highest, level_count),
        cmap="viridis",
        extend="max",
    )
    # As an image: a PDF of all triangles would be large, with fine lines between them.
    filled.set_rasterized(True)
    bar = panel.figure.colorbar(
        filled,
        ax=panel,
        location="bottom",
        shrink=0.9,
        format="%.3g",
    )
    bar.ax.locator_params(nbins=4)


def _draw_models(panel: Axes, table: pd.DataFrame) -> None:
    """The three models that span the plane, with their names.

    A mix is zero-shot + s * (update of the first run) + t * (update of the second).
    """
    one, other = table[["model", "other_model"]].iloc[0]
    # s, t, marker, size in points, name.
    corners = (
        (0, 0, "*", 9, "zero-shot"),
        (1, 0, "o", 5, one),
        (0, 1, "o", 5, other),
    )
    for s, t, marker, size, name in corners:
        is_corner = np.isclose(table["coefficient"], s) & np.isclose(
            table["other_coefficient"], t
        )
        point = table[is_corner].iloc[0]
        panel.plot(
            point["x"],
            point["y"],
            marker,
            ms=size,
            color="black",
            mec="white",
            mew=0.7,
        )
        # Names point to the middle of the panel, where there is room.
        is_right = point["x"] > table["x"].mean()
        panel.annotate(
            fit_text(name, 60, 6),
            (point["x"], point["y"]),
            (-5 if is_right else 5, 5),
            fontsize=6,
            textcoords="offset points",
            ha="right" if is_right else "left",
            path_effects=OUTLINED,
        )
