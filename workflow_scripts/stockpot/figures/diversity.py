"""How differently models answer, by data set (WiSE-FT, figure 5 left and appendix E)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..drawing.style import (
    BLACK,
    BLUE,
    GREEN,
    ORANGE,
    VERMILION,
    dots,
    handle,
    label_grid,
    panel_grid,
    tilted_names,
)
from ..drawing.texts import fit_text
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="diversity",
    caption="""
**Diversity.** Four measures show how differently two models answer the same examples. All are 0
for equal models: the share of examples that exactly one model gets right; 1 - Cohen's kappa; the
Kullback-Leibler divergence of their probabilities, in nats; 1 - CKA of their logits. Each dot is
a pair. The line joins the means of the groups. If the zero-shot model and a fine-tuned model
differ more than two fine-tuned models, averaging them combines more. n: {sizes}.
""",
)

WIDE = 7  # data sets; with more, two panels stand side by side and not four
LONGEST = 80  # points of width of a data set's name
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, BLACK)
# Column -> title of its panel.
TITLES = {
    "prediction_diversity": "Exactly one is right",
    "kappa_complement": "1 − Cohen's κ",
    "divergence": "KL divergence (nats)",
    "cka_complement": "1 − CKA of logits",
}


def draw(
    tables: dict[str, pd.DataFrame],
    options: dict[str, Any],
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per measure, with a colour per group of pairs.

    Args:
        tables: "table", that of the analysis.
        options: None.

    Returns:
        The figure, and the whole table.
    """
    table = tables["table"]
    sets = list(table["dataset"].drop_duplicates())
    groups = list(table["pair_type"].drop_duplicates())
    names = [fit_text(name, LONGEST, 7) for name in sets]
    columns = 4 if len(sets) <= WIDE else 2
    figure, panels, spare = panel_grid(len(TITLES), columns, height=2.5)
    legend = {}
    for panel, (measure, title) in zip(panels, TITLES.items()):
        for i, group in enumerate(groups):
            colour = COLOURS[i % len(COLOURS)]
            # Groups stand beside each other, around the tick of the data set.
            shift = 0.16 * (i - (len(groups) - 1) / 2)
            positions = {name: x + shift for x, name in enumerate(sets)}
            pairs = table[table["pair_type"] == group]
            _draw_group(panel, pairs, measure, positions, colour)
            legend[group] = handle(color=colour, marker="o", ms=3)
        panel.set_title(title, loc="left")
        tilted_names(panel, names, 60)
        # All measures are 0 for equal models.
        panel.set_ylim(bottom=0)
    label_grid(figure, spare, legend, "", "")
    return figure, table


def _draw_group(
    panel: Axes,
    pairs: pd.DataFrame,
    measure: str,
    positions: dict[str, float],
    colour: str,
) -> None:
    """A dot per pair of models, and a line through the means of the data sets."""
    x = pairs["dataset"].map(positions)
    panel.plot(x, pairs[measure], **dots(colour, 2.2, alpha=0.35, mew=0))
    means = pairs.groupby("dataset", sort=False)[measure].mean()
    # Data sets come in the order of the rows of this group.
    mean_x = [positions[name] for name in means.index]
    panel.plot(mean_x, means, "-", color=colour, lw=1)
