"""Choosing alpha: what each selector chooses on every sweep, and what it misses."""

import numpy as np
import pandas as pd

from ..errors import StockpotError
from ..merging.selectors import compared
from ..statistics.estimates import mean_entropy, on_the_line, thresholded
from ..statistics.tables import MEAN
from .evidence import Evidence, Nothing

OPTIONS = {}


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per sweep and selector; see ``selectors.compared``, with the curve's name and n."""
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
    """What selectors look at, a row per alpha; see ``selectors``. points: alpha and model."""
    models, held_out = list(points["model"]), evidence.held_out

    def of(*datasets):
        return [np.mean([evidence.accuracy(m, d) for d in datasets]) for m in models]

    table = pd.DataFrame({"alpha": points["alpha"], "held_out": of(held_out)})
    table["n"] = len(evidence.labels(held_out))
    if evidence.corrupted:
        table["corrupted"] = of(*evidence.corrupted)
    known = [evidence.answers(m, held_out) for m in models]
    there = {d: [evidence.answers(m, d) for m in models] for d in evidence.shifts}
    table["thresholded"] = np.mean(
        [
            [thresholded(k.confidence, k.correct, a.confidence) for k, a in zip(known, answers)]
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
        entropies = [[mean_entropy(a.logits) for a in answers] for answers in there.values()]
        table["entropy"] = np.mean(entropies, axis=0)
    except StockpotError:
        pass  # without stored logits there is no entropy, and no selector that needs it
    return table.assign(reference=of(evidence.reference), shifts=of(MEAN))


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
