"""What mixing gains with few examples per class (WiSE-FT, figures 17 to 19)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..alpha import selectors
from ..drawing.model_colours import look, selector_colour
from ..drawing.style import (
    TWO_COLUMNS,
    Legend,
    handle,
    legend_outside,
    upper_first,
)
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="low-shot",
    caption="""
**Few shots.** Runs were trained on k images per class. The figure shows the plain accuracy (the
share of right answers) of the zero-shot model, of the fine-tuned model and of their mixes, on the
reference and on {shifts}. There is one mix for each way to choose alpha; the alphas are on the
right. Bars: paired {level} interval of the mix minus the better of its two end models, which the
test set decides (oracle). n: {sizes}.
""",
)


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw the reference on the left, shifts in the middle, and alphas on the right.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    test_sets = list(table["dataset"].drop_duplicates())
    runs = table.drop_duplicates("run")
    # One tick per run; without a number of shots it saw all images.
    positions = {run: x for x, run in enumerate(runs["run"])}
    shots = ["all" if pd.isna(count) else str(int(count)) for count in runs["shots"]]
    figure = Figure((TWO_COLUMNS, 2.6), layout="constrained")
    *panels, alpha_panel = figure.subplots(1, len(test_sets) + 1)
    legend: Legend = {}
    # Every panel adds the same lines; the legend has each of them once.
    for panel, test_set in zip(panels, test_sets):
        rows = table[table["dataset"] == test_set]
        _draw_ends(panel, rows.drop_duplicates("run"), positions, legend)
        _draw_mixes(panel, rows, positions, legend)
        panel.set_xticks(range(len(shots)), shots)
        panel.set_title(upper_first(test_set), loc="left")
        panel.set_xlabel("Training images per class")
        panel.set_ylabel("Accuracy (%)")
        panel.margins(y=0.12)
    # Alphas are the same on all test sets.
    _draw_alphas(alpha_panel, table[table["dataset"] == test_sets[0]], positions)
    alpha_panel.set_xticks(range(len(shots)), shots)
    legend_outside(figure, legend, "upper center", most=3)
    return figure, table


def _draw_ends(
    panel: Axes,
    runs: pd.DataFrame,
    positions: dict[str, int],
    legend: Legend,
) -> None:
    """Accuracies of the zero-shot and the fine-tuned models; adds them to the legend."""
    x = [positions[run] for run in runs["run"]]
    zero_shot = {
        **look("zero-shot").mark,
        "ls": ":",
        "markersize": 6,
    }
    panel.plot(x, 100 * runs["zero_shot"], **zero_shot)
    legend["zero-shot"] = handle(**zero_shot)
    fine_tuned = {**look("end-to-end").mark, "ls": "--"}
    panel.plot(x, 100 * runs["target"], **fine_tuned)
    legend["fine-tuned"] = handle(**fine_tuned)


def _draw_mixes(
    panel: Axes,
    rows: pd.DataFrame,
    positions: dict[str, int],
    legend: Legend,
) -> None:
    """Accuracies of the mixes, a line per selector; adds them to the legend."""
    for i, (selector, mixes) in enumerate(rows.groupby("selector", sort=False)):
        colour = selector_colour(selector)
        # Side by side, so that intervals do not hide each other.
        x = [positions[run] + 0.12 * (i - 1) for run in mixes["run"]]
        # The interval is of the difference from the better end, whose accuracy is added.
        better_end = mixes["accuracy"] - mixes["gain_over_better_end"]
        low = 100 * (better_end + mixes["gain_over_better_end_low"])
        high = 100 * (better_end + mixes["gain_over_better_end_high"])
        panel.vlines(x, low, high, color=colour, lw=0.9)
        panel.plot(
            x,
            100 * mixes["accuracy"],
            "o-",
            color=colour,
            ms=3.4,
            lw=0.9,
        )
        text = f"mix, {selectors.label(selector)}"
        legend[text] = handle(color=colour, marker="o", ms=3.4)


def _draw_alphas(
    panel: Axes,
    rows: pd.DataFrame,
    positions: dict[str, int],
) -> None:
    """The alphas that every selector chose."""
    for selector, mixes in rows.groupby("selector", sort=False):
        x = [positions[run] for run in mixes["run"]]
        colour = selector_colour(selector)
        panel.plot(
            x,
            mixes["alpha"],
            "o-",
            color=colour,
            ms=3.4,
            lw=0.9,
        )
    panel.set(
        xlabel="Training images per class",
        ylabel="α chosen",
        ylim=(-0.05, 1.05),
    )
    panel.set_title("Alpha", loc="left")
