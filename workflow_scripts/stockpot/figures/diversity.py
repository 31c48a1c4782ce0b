"""How differently models answer, by data set (WiSE-FT, figure 5 left and appendix E)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ..drawing.style import BLACK, BLUE, GREEN, ORANGE, VERMILION, finish, grid
from ..drawing.texts import fit
from . import FigureDeclaration

FIGURE = FigureDeclaration(
    draws="diversity",
    caption="""
**Diversity.** How differently two models answer the same examples, by four measures, all 0 for
equal models: the share of examples that exactly one has right; 1 - Cohen's kappa; the
Kullback-Leibler divergence of their probabilities, in nats; 1 - CKA of their logits. A dot per
pair, the line joins the means of a group. Where zero-shot and fine-tuned models differ more than
two fine-tuned ones do, mixing them has more to combine. n: {sizes}.
""",
)

WIDE = 7  # data sets; with more, two panels stand side by side and not four
LONGEST = 80  # points of width of a data set's name
COLOURS = (BLUE, ORANGE, GREEN, VERMILION, BLACK)
TITLES = {
    "prediction_diversity": "Exactly one is right",
    "kappa_complement": "1 − Cohen's κ",
    "divergence": "KL divergence (nats)",
    "cka_complement": "1 − CKA of logits",
}


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """A panel per measure."""
    table = tables["table"]
    sets, groups = (list(table[c].drop_duplicates()) for c in ("dataset", "group"))
    names = [fit(name, LONGEST, 7) for name in sets]
    result, panels, spare = grid(len(TITLES), 4 if len(sets) <= WIDE else 2, 2.5)
    legend = {}
    for panel, (measure, title) in zip(panels, TITLES.items()):
        for i, group in enumerate(groups):
            own = table[table["group"] == group]
            colour, shift = (
                COLOURS[i % len(COLOURS)],
                0.16 * (i - (len(groups) - 1) / 2),
            )
            x = [sets.index(d) + shift for d in own["dataset"]]
            panel.plot(x, own[measure], "o", ms=2.2, color=colour, alpha=0.35, mew=0)
            means = own.groupby("dataset", sort=False)[measure].mean()
            at = [sets.index(d) + shift for d in means.index]
            panel.plot(at, means, "-", color=colour, lw=1)
            legend[group] = Line2D([], [], color=colour, marker="o", ms=3)
        panel.set_title(title, loc="left")
        panel.set_xticks(
            range(len(sets)), names, rotation=60, ha="right", rotation_mode="anchor"
        )
        panel.set_ylim(bottom=0)
    finish(result, spare, legend, "", "")
    return result, table
