"""Are confidences to be believed? Expected calibration error and reliability diagrams."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from pydantic import Field

from ..drawing.style import BLUE, DASHES, GREY, TWO_COLUMNS, VERMILION, row_names
from ..drawing.texts import fit
from ..runtime.options import PluginOptions
from . import FigureDeclaration


class Options(PluginOptions):
    models: list[str] = Field(
        [], description="models of the reliability diagrams; empty: the first four"
    )


FIGURE = FigureDeclaration(
    options=Options,
    draws="calibration",
    caption="""
**Calibration.** Left: expected calibration error on the reference and on {shifts} (filled), and
with one temperature fitted on the held-out set (hollow). Right: reliability, the share of right
answers among all examples of about one confidence against that confidence; on the dashed line a
confidence of 0.8 is right in 80 %, below it the model is overconfident. Circles grow with the
number of examples. n: {sizes}.
""",
)

COLOURS = (BLUE, VERMILION)
DIAGRAMS = 3.9  # inches of height that the reliability diagrams take at most
LEAST = 10  # examples that a point of a reliability diagram needs


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel of errors, and up to four reliability diagrams."""
    table = tables["table"]
    whole, reference = table[table["bin"].isna()], table["dataset"].iloc[0]
    models = list(whole["model"].drop_duplicates())
    shown = [m for m in style["models"] if m in models] or _telling(models)
    height = max(2.9, 0.9 + 0.14 * len(models))
    result = Figure((TWO_COLUMNS, height), layout="constrained")
    left, right = result.subfigures(1, 2, width_ratios=(1, 1.15))
    if height > 1.2 * DIAGRAMS:
        right = right.subfigures(2, 1, height_ratios=(DIAGRAMS, height - DIAGRAMS))[0]
    panel = left.subplots()
    for y, model in enumerate(models[::-1]):
        own = whole[whole["model"] == model]
        here = own["dataset"] == reference
        for part, colour, shift in (
            (own[here], BLUE, 0.14),
            (own[~here], VERMILION, -0.14),
        ):
            before, after = (100 * part[c].mean() for c in ("ece", "ece_scaled"))
            panel.plot(
                [before, after], [y + shift] * 2, color=colour, lw=0.6, alpha=0.6
            )
            panel.plot(before, y + shift, "o", ms=3.4, color=colour)
            panel.plot(after, y + shift, "o", ms=3.4, color=colour, mfc="white")
    panel.set_yticks(range(len(models)), row_names(models[::-1], 1.4))
    panel.set_ylim(-0.7, len(models) - 0.3)
    panel.set_xlim(left=0)
    panel.set_xlabel("Expected calibration error (points)")
    handles = [Line2D([], [], marker="o", ls="", ms=3.4, color=c) for c in COLOURS]
    handles.append(Line2D([], [], marker="o", ls="", ms=3.4, color=GREY, mfc="white"))
    names = ["reference", "under shift", "with a temperature"]
    left.legend(
        handles,
        names,
        loc="outside upper center",
        ncols=3,
        columnspacing=1,
        handletextpad=0.2,
    )
    rows = -(-len(shown) // 2)
    for axes, model in zip(right.subplots(rows, 2, squeeze=False).ravel(), shown):
        _reliability(
            axes, table[(table["model"] == model) & table["bin"].notna()], reference
        )
        axes.set_title(fit(model, 100, 8), loc="left")
    right.supxlabel("Confidence (%)", fontsize=8)
    right.supylabel("Accuracy (%)", fontsize=8)
    return result, whole


def _telling(models: list[str]) -> list[str]:
    """Models that readers look for first."""
    wanted = ("zero-shot", "base", "base alpha=0.5", "greedy", "ensemble", "uniform")
    return (
        [m for m in wanted if m in models] + [m for m in models if m not in wanted]
    )[:4]


def _reliability(axes, bins: pd.DataFrame, reference: str) -> None:
    axes.plot([0, 100], [0, 100], color=GREY, ls=DASHES, lw=0.7)
    for is_reference, colour in zip((True, False), COLOURS):
        part = bins[(bins["dataset"] == reference) == is_reference]
        weighted = part.assign(
            c=part["confidence"] * part["n"], a=part["accuracy"] * part["n"]
        )
        sums = weighted.groupby("bin")[["n", "c", "a"]].sum()
        sums = sums[sums["n"] >= LEAST]
        size = 2 + 26 * np.sqrt(sums["n"] / sums["n"].sum())
        axes.plot(
            100 * sums["c"] / sums["n"],
            100 * sums["a"] / sums["n"],
            color=colour,
            lw=0.8,
        )
        axes.scatter(
            100 * sums["c"] / sums["n"],
            100 * sums["a"] / sums["n"],
            s=size,
            color=colour,
            linewidth=0,
        )
    axes.set(xlim=(0, 103), ylim=(0, 103), xticks=[0, 50, 100], yticks=[0, 50, 100])
    axes.set_box_aspect(1)  # the diagonal is one of 45 degrees
