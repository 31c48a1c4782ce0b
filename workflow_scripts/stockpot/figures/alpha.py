"""Accuracy along the way from the zero-shot to the fine-tuned weights (WiSE-FT, figure 6)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..drawing.model_colours import SweepLook, sweep_looks
from ..drawing.robustness_axes import name_equal_models
from ..drawing.style import (
    DASHES,
    GREY,
    alpha_ticks,
    balanced_columns,
    draw_band,
    handle,
    label_grid,
    panel_grid,
    panel_title,
    panel_width,
    text_figure,
)
from ..tables.measurements import SHIFT_MEAN, datasets
from . import FigureDeclaration
from ._options import Columns

FIGURE = FigureDeclaration(
    options=Columns,
    caption="""
**Accuracy against alpha.** There is one panel per data set. Each curve is a sweep, from the
zero-shot model (alpha 0) to the named model (alpha 1). The dashed chord joins the end models;
where a curve lies above its chord, averaging gains accuracy. Bands: {level} intervals
(Clopper-Pearson; for the mean, a stratified bootstrap). n: {sizes}.
""",
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per data set, with every sweep, its intervals and its chord.

    Args:
        tables: "measurements".
        options: ``columns``.

    Returns:
        The figure, and the measurements of the sweeps.
    """
    measurements = tables["measurements"]
    sweeps = measurements[measurements["sweep"] != ""]
    # A line joins its points in the order of the rows.
    sweeps = sweeps.sort_values("alpha", kind="stable")
    if sweeps.empty:
        return text_figure("Nothing to show: this study has no sweep."), sweeps
    names = _dataset_names(measurements)
    columns = balanced_columns(len(names), options["columns"])
    figure, panels, spare = panel_grid(len(names), columns, height=1.9)
    looks = sweep_looks(measurements)
    for panel, name in zip(panels, names):
        of_dataset = sweeps[sweeps["dataset"] == name]
        for (kind, target), look in looks.items():
            of_kind = of_dataset[of_dataset["kind"] == kind]
            _draw_sweep(panel, of_kind[of_kind["sweep"] == target], look)
        title = "Mean of shifts" if name == SHIFT_MEAN else name
        panel_title(panel, title, panel_width(columns))
        # Half a marker beyond alpha 0 and 1.
        panel.set_xlim(-0.03, 1.03)
        alpha_ticks(panel)
        panel.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    legend = {look.label: handle(**look.line) for look in looks.values()}
    legend["Straight line between the ends"] = handle(color=GREY, ls=DASHES, lw=0.6)
    legend = name_equal_models(legend, measurements)
    label_grid(figure, spare, legend, "α", "Accuracy (%)")
    return figure, sweeps


def _dataset_names(measurements: pd.DataFrame) -> list[str]:
    """The data sets that have a panel, in order."""
    names = datasets(measurements, "reference", "held-out", "shift")
    # The mean of one shift would repeat its panel.
    if len(datasets(measurements, "shift")) > 1:
        names += datasets(measurements, "mean")
    return names


def _draw_sweep(
    panel: Axes,
    sweep: pd.DataFrame,
    look: SweepLook,
) -> None:
    """One sweep on one data set, in the order of alpha."""
    draw_band(panel, sweep["alpha"], sweep, look.colour)
    panel.plot(sweep["alpha"], 100 * sweep["value"], **look.line)
    # The chord: accuracies of the end models, mixed in proportion.
    ends = pd.concat([sweep.head(1), sweep.tail(1)])
    panel.plot(
        ends["alpha"],
        100 * ends["value"],
        color=look.colour,
        ls=DASHES,
        lw=0.6,
    )
