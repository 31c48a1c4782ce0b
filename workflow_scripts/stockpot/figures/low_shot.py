"""What mixing gains with few examples per class (WiSE-FT, figures 17 to 19)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..alpha import selectors
from ..drawing.model_colours import look, selector_colour
from ..drawing.style import TWO_COLUMNS, legend_outside
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="low-shot",
    caption="""
**Few shots.** Runs on k training images per class. Plain accuracy (the share of right answers) of
the zero-shot model, of the fine-tuned one and of their mix, by the way in which alpha was chosen,
on the reference and on {shifts}; on the right the alphas. Bars: paired {level} interval of the mix
minus the better of its two ends, which the test set tells (oracle). n: {sizes}.
""",
)


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Reference left, shifts right; one tick per number of shots."""
    table = tables["table"]
    places = list(table["on"].drop_duplicates())
    runs = table.drop_duplicates("run")
    texts = ["all" if pd.isna(s) else str(int(s)) for s in runs["shots"]]
    at = {run: x for x, run in enumerate(runs["run"])}
    result = Figure((TWO_COLUMNS, 2.6), layout="constrained")
    *panels, chosen = result.subplots(1, len(places) + 1)
    legend = {}
    for panel, place in zip(panels, places):
        own = table[table["on"] == place]
        ends = own.drop_duplicates("run")
        for column, line in (
            ("zero_shot", {**look("zero-shot").mark, "ls": ":", "markersize": 6}),
            ("tuned", {**look("end-to-end").mark, "ls": "--"}),
        ):
            panel.plot([at[r] for r in ends["run"]], 100 * ends[column], **line)
            legend["zero-shot" if column == "zero_shot" else "fine-tuned"] = Line2D(
                [], [], **line
            )
        for i, (selector, rows) in enumerate(own.groupby("selector", sort=False)):
            x = [at[r] + 0.12 * (i - 1) for r in rows["run"]]
            better = rows["accuracy"] - rows["over_both"]
            low, high = (
                100 * (better + rows[f"over_both_{end}"]) for end in ("low", "high")
            )
            colour = selector_colour(selector)
            panel.vlines(x, low, high, color=colour, lw=0.9)
            panel.plot(x, 100 * rows["accuracy"], "o-", color=colour, ms=3.4, lw=0.9)
            legend[f"mix, {selectors.label(selector)}"] = Line2D(
                [], [], color=colour, marker="o", ms=3.4
            )
        panel.set_xticks(range(len(texts)), texts)
        panel.set_title(place[:1].upper() + place[1:], loc="left")
        panel.set_xlabel("Training images per class")
        panel.set_ylabel("Accuracy (%)")
        panel.margins(y=0.12)
    for selector, rows in table[table["on"] == places[0]].groupby(
        "selector", sort=False
    ):
        x = [at[r] for r in rows["run"]]
        chosen.plot(
            x, rows["alpha"], "o-", color=selector_colour(selector), ms=3.4, lw=0.9
        )
    chosen.set(
        xlabel="Training images per class", ylabel="α chosen", ylim=(-0.05, 1.05)
    )
    chosen.set_xticks(range(len(texts)), texts)
    chosen.set_title("Alpha", loc="left")
    legend_outside(result, legend, "upper center", most=3)
    return result, table
