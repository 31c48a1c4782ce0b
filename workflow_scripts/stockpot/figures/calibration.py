"""Are confidences to be believed? Expected calibration error and reliability diagrams."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from pydantic import Field

from ..drawing.style import (
    BLUE,
    DASHES,
    GREY,
    TWO_COLUMNS,
    VERMILION,
    dots,
    handle,
    row_names,
    short_legend,
)
from ..drawing.texts import fit_text
from ..runtime.options import PluginOptions
from . import FigureDeclaration


class Options(PluginOptions):
    """Options of this figure."""

    models: list[str] = Field(
        [], description="models of the reliability diagrams; empty: the first four"
    )


FIGURE = FigureDeclaration(
    options=Options,
    draws="calibration",
    caption="""
**Calibration.** Left: expected calibration error on the reference and on {shifts}, as it is
(filled) and with one temperature fitted on the held-out set (hollow). Right: reliability
diagrams. Examples of similar confidence form a bin; x is their confidence, y is the share of
right answers among them. On the dashed line, a confidence of 0.8 is right in 80 % of the cases;
below the line, the model is overconfident. Larger circles stand for more examples. n: {sizes}.
""",
)

DOT_SIZE = 3.4  # points
DIAGRAMS_HEIGHT = 3.9  # inches that the reliability diagrams take at most
DIAGRAM_COUNT = 4
MIN_EXAMPLES = 10  # that a point of a reliability diagram needs
# Models that readers look for first.
EXPECTED_MODELS = (
    "zero-shot",
    "base",
    "base alpha=0.5",
    "greedy",
    "ensemble",
    "uniform",
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel of calibration errors, and reliability diagrams.

    Args:
        tables: "table", that of the analysis. Rows with a bin are points of a diagram.
        options: ``models`` of the diagrams.

    Returns:
        The figure, and the rows of whole data sets.
    """
    table = tables["table"]
    is_bin = table["bin"].notna()
    whole = table[~is_bin]
    reference = table["dataset"].iloc[0]
    models = list(whole["model"].drop_duplicates())
    # Models that this study lacks are passed over.
    shown = [model for model in options["models"] if model in models]
    if not shown:
        shown = _default_models(models)
    height = max(2.9, 0.9 + 0.14 * len(models))  # inches, per row
    figure = Figure((TWO_COLUMNS, height), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1.15))
    # Many models make a high figure, whose diagrams stay in its upper part.
    if height > 1.2 * DIAGRAMS_HEIGHT:
        ratios = (DIAGRAMS_HEIGHT, height - DIAGRAMS_HEIGHT)
        right = right.subfigures(2, 1, height_ratios=ratios)[0]
    _draw_errors(left, whole, models, reference)
    _draw_diagrams(right, table[is_bin], shown, reference)
    return figure, whole


def _default_models(models: list[str]) -> list[str]:
    """The models of the diagrams: those that readers look for first."""
    expected = [model for model in EXPECTED_MODELS if model in models]
    others = [model for model in models if model not in EXPECTED_MODELS]
    return (expected + others)[:DIAGRAM_COUNT]


def _draw_errors(
    subfigure: SubFigure,
    whole: pd.DataFrame,
    models: list[str],
    reference: str,
) -> None:
    """A row per model: its calibration error on the reference and under shift."""
    panel = subfigure.subplots()
    from_below = models[::-1]  # the first model on top
    for y, model in enumerate(from_below):
        rows = whole[whole["model"] == model]
        is_reference = rows["dataset"] == reference
        # Two lines per row, one above the other.
        _draw_error(panel, rows[is_reference], BLUE, y + 0.14)
        _draw_error(panel, rows[~is_reference], VERMILION, y - 0.14)
    panel.set_yticks(range(len(models)), row_names(from_below, 1.4))
    panel.set_ylim(-0.7, len(models) - 0.3)
    panel.set_xlim(left=0)
    panel.set_xlabel("Expected calibration error (points)")
    legend = {
        "reference": handle(**dots(BLUE, DOT_SIZE)),
        "under shift": handle(**dots(VERMILION, DOT_SIZE)),
        "with a temperature": handle(**dots(GREY, DOT_SIZE, mfc="white")),
    }
    short_legend(
        subfigure,
        legend,
        "upper center",
        3,
        columnspacing=1,
        handletextpad=0.2,
    )


def _draw_error(
    panel: Axes,
    rows: pd.DataFrame,
    colour: str,
    y: float,
) -> None:
    """The mean error as it is (filled) and with a fitted temperature (hollow)."""
    plain = 100 * rows["ece"].mean()
    scaled = 100 * rows["ece_scaled"].mean()
    panel.plot(
        [plain, scaled],
        [y, y],
        color=colour,
        lw=0.6,
        alpha=0.6,
    )
    panel.plot(plain, y, **dots(colour, DOT_SIZE))
    panel.plot(scaled, y, **dots(colour, DOT_SIZE, mfc="white"))


def _draw_diagrams(
    subfigure: SubFigure,
    bins: pd.DataFrame,
    models: list[str],
    reference: str,
) -> None:
    """A reliability diagram per model, two side by side."""
    rows = -(-len(models) // 2)  # rounded up
    panels = subfigure.subplots(rows, 2, squeeze=False).ravel()
    for panel, model in zip(panels, models):
        of_model = bins[bins["model"] == model]
        is_reference = of_model["dataset"] == reference
        panel.plot([0, 100], [0, 100], color=GREY, ls=DASHES, lw=0.7)
        _draw_reliability(panel, of_model[is_reference], BLUE)
        _draw_reliability(panel, of_model[~is_reference], VERMILION)
        panel.set(
            xlim=(0, 103),
            ylim=(0, 103),
            xticks=[0, 50, 100],
            yticks=[0, 50, 100],
        )
        panel.set_box_aspect(1)  # the diagonal is one of 45 degrees
        panel.set_title(fit_text(model, 100, 8), loc="left")
    subfigure.supxlabel("Confidence (%)", fontsize=8)
    subfigure.supylabel("Accuracy (%)", fontsize=8)


def _draw_reliability(
    panel: Axes,
    bins: pd.DataFrame,
    colour: str,
) -> None:
    """Accuracy against confidence; a bin of several data sets has the mean of all examples."""
    weighted = bins.assign(
        # Means per data set, times their numbers of examples, are sums.
        confidence=bins["confidence"] * bins["n"],
        accuracy=bins["accuracy"] * bins["n"],
    )
    sums = weighted.groupby("bin")[["n", "confidence", "accuracy"]].sum()
    sums = sums[sums["n"] >= MIN_EXAMPLES]
    confidence = 100 * sums["confidence"] / sums["n"]
    accuracy = 100 * sums["accuracy"] / sums["n"]
    panel.plot(confidence, accuracy, color=colour, lw=0.8)
    # scatter takes the area of a circle: its diameter grows with the fourth root of n.
    area = 2 + 26 * np.sqrt(sums["n"] / sums["n"].sum())
    panel.scatter(
        confidence,
        accuracy,
        s=area,
        color=colour,
        linewidth=0,
    )
