"""Choosing alpha: what each selector chooses on every sweep, and what it misses."""

import numpy as np
import pandas as pd

from ..alpha.selectors import compared
from ..runtime.errors import StockpotError
from ..statistics.estimates import mean_entropy, on_the_line, thresholded
from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import MEAN
from . import Analysis

ANALYSIS = Analysis()


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per sweep and selector; ``compared`` with the curve's name and n."""
    evidence.note_own()
    rows = [
        compared(selection_curve(evidence, points)).assign(curve=curve)
        for curve, points in evidence.curves().items()
    ]
    if not rows:
        raise Nothing("alpha is chosen on a sweep, and this study has none")
    table = pd.concat(rows, ignore_index=True)
    sizes = {d: len(evidence.labels(d)) for d in [evidence.held_out, *evidence.tests]}
    return table.assign(
        n_held_out=sizes[evidence.held_out],
        n_reference=sizes[evidence.reference],
        n_shifts=sum(sizes[d] for d in evidence.shifts),
    )[["curve", *table.columns.drop("curve"), "n_held_out", "n_reference", "n_shifts"]]


def selection_curve(evidence: Evidence, points: pd.DataFrame) -> pd.DataFrame:
    """What selectors look at, a row per alpha; see ``alpha.selectors``. points: alpha and model."""
    models = list(points["model"])

    def of(*datasets):
        return [np.mean([evidence.accuracy(m, d) for d in datasets]) for m in models]

    table = evidence.held_out_curve(points)
    if evidence.corrupted:
        table["corrupted"] = of(*evidence.corrupted)
    if estimable(evidence):
        table = _estimated(evidence, table, models)
    return table.assign(reference=of(evidence.reference), shifts=of(MEAN))


def estimable(evidence: Evidence) -> bool:
    """Can the accuracy under shift be estimated without its labels? If not, a note says why.

    The estimates are of plain accuracy, from what models answer to every image.
    """
    sets = [evidence.held_out, *evidence.shifts]
    videos = [name for name in sets if evidence.scoring(name).videos]
    others = list(evidence.scored_otherwise(*sets))
    if videos:
        why = (
            f"{', '.join(videos)}: of a video the frame is kept that a model gets least right, "
            "which only the label tells"
        )
    else:
        why = (
            f"they estimate plain accuracy, by which {', '.join(others)} is not scored"
        )
    if videos or others:
        evidence.note(
            f"No selector takes estimates from unlabelled images here: {why}."
        )
    return not (videos or others)


def _estimated(
    evidence: Evidence, table: pd.DataFrame, models: list[str]
) -> pd.DataFrame:
    """The curve with the columns thresholded, agreement and, where logits are kept, entropy."""
    held_out = evidence.held_out
    known = [evidence.answers(m, held_out) for m in models]
    there = {d: [evidence.answers(m, d) for m in models] for d in evidence.shifts}
    table["thresholded"] = np.mean(
        [
            [
                thresholded(k.confidence, k.correct, a.confidence)
                for k, a in zip(known, answers)
            ]
            for answers in there.values()
        ],
        axis=0,
    )
    predicted = [k.predicted for k in known]
    table["agreement"] = np.mean(
        [
            on_the_line(table["held_out"], predicted, [a.predicted for a in answers])
            for answers in there.values()
        ],
        axis=0,
    )
    try:
        entropies = [
            [mean_entropy(a.logits) for a in answers] for answers in there.values()
        ]
        table["entropy"] = np.mean(entropies, axis=0)
    except StockpotError:
        pass  # without stored logits there is no entropy, and no selector that needs it
    return table


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """A row per selector, over all sweeps, in percent and points."""
    rows = []
    for label, group in table.groupby("label", sort=False):
        low, high = group["alpha"].min(), group["alpha"].max()
        rows.append(
            {
                "selector": label,
                "sweeps": len(group),
                "alpha": f"{low:g}" if low == high else f"{low:g} to {high:g}",
                "reference": f"{100 * group['reference'].mean():.1f}",
                "mean of shifts": f"{100 * group['shifts'].mean():.1f}",
                "regret under shift": f"{100 * group['regret_shifts'].mean():.1f}",
                "regret on both": f"{100 * group['regret_both'].mean():.1f}",
                "worst on both": f"{100 * group['regret_both'].max():.1f}",
            }
        )
    return pd.DataFrame(rows)
