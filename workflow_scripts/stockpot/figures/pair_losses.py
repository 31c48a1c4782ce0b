"""The loss of a soup minus that of the ensemble, and its approximation (Model soups)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.style import (
    DASHES,
    GREY,
    TWO_COLUMNS,
    ZERO_LINE,
    dots,
    handle,
    short_legend,
    upper_first,
)
from . import FigureDeclaration
from .pair_accuracies import COLOURS, DOT_SIZE, reference_and_shift

FIGURE = FigureDeclaration(
    draws="pairs",
    caption="""
**When is a soup as good as the ensemble?** Each dot is a pair of runs. The difference is the loss
of the mean of weights minus the loss of the mean of logits, in nats. Left and middle: the
difference against the papers' approximation, which uses the curvature of the loss along the path
and the variance of the change of the logits. On the dashed line, the two agree. Right: the
difference of the losses against that of the errors. Logits are divided by the temperature that
calibrates the soup on held-out data. n: {sizes}.
""",
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw the approximation on the reference and under shift, then losses against errors.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and a row per pair on the reference and under shift.
    """
    table = reference_and_shift(tables["table"])
    # Positive where the soup makes more errors than the ensemble.
    table["error_difference"] = table["ensemble_accuracy"] - table["soup_accuracy"]
    figure = Figure((TWO_COLUMNS, 2.5), layout="constrained")
    *loss_panels, error_panel = figure.subplots(1, 3)
    colours = dict(zip(table["dataset"].drop_duplicates(), COLOURS))
    legend = {}
    for panel, (test_set, colour) in zip(loss_panels, colours.items()):
        pairs = table[table["dataset"] == test_set]
        look = dots(colour, DOT_SIZE, mew=0)
        _draw_approximation(panel, pairs, look)
        panel.set_title(upper_first(test_set), loc="left")
        error_panel.plot(
            pairs["loss_difference"], 100 * pairs["error_difference"], **look
        )
        legend[test_set] = handle(**look)
    error_panel.axhline(0, **ZERO_LINE)
    error_panel.axvline(0, **ZERO_LINE)
    error_panel.set(xlabel="Soup − ensemble, loss (nats)", ylabel="Error (points)")
    error_panel.set_title("Loss and error", loc="left")
    error_panel.locator_params(nbins=4)
    short_legend(figure, legend, "upper right", 2)
    return figure, table


def _draw_approximation(
    panel: Axes,
    pairs: pd.DataFrame,
    look: dict[str, Any],
) -> None:
    """A dot per pair; on the dashed line the approximation is the true difference."""
    values = pairs[["loss_difference", "approximate_loss_difference"]].to_numpy()
    # Equal values have no range; they get some space, too.
    space = 0.08 * np.ptp(values) or 0.01
    ends = (values.min() - space, values.max() + space)
    panel.plot(ends, ends, color=GREY, ls=DASHES, lw=0.7)
    panel.plot(pairs["loss_difference"], pairs["approximate_loss_difference"], **look)
    panel.set(xlabel="True difference (nats)", ylabel="Approximation (nats)")
    panel.locator_params(nbins=4)
