"""The gap of every method to the curve of WiSE-FT: is it more than a choice of alpha?"""

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics.paired import paired_mean
from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import BASELINE, MEAN
from . import Analysis


class Options(PluginOptions):
    curve: str = Field(
        "", description="a sweep; empty: that of the best run on held-out data"
    )


ANALYSIS = Analysis(options=Options)


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per model that is on no sweep.

    Accuracies are plain, whatever a data set is scored by. gap, low, high: its mean accuracy under
    shift minus that of the curve at the same reference accuracy, between two alphas on the straight
    line; paired, without the uncertainty of the place on the curve. beyond, below: it is better, or
    worse, on the reference than every point of the curve; then the gap is to the curve's nearest
    end. At an accuracy that the curve has twice, the point that is better under shift counts.
    """
    curve, points = _curve(evidence, options["curve"])
    evidence.note_plain()
    x = np.array(
        [evidence.plain_accuracy(m, evidence.reference) for m in points["model"]]
    )
    y = np.array([evidence.plain_accuracy(m, MEAN) for m in points["model"]])
    table, rows = evidence.measurements, []
    single = table[(table["curve"] == "") & (table["kind"] != BASELINE)]
    right = {}

    def correct(model):
        if model not in right:
            right[model] = [evidence.correct(model, d) for d in evidence.shifts]
        return right[model]

    for model, kind in (
        single[["model", "kind"]].drop_duplicates().itertuples(index=False)
    ):
        if not evidence.known(model):
            continue
        at = evidence.plain_accuracy(model, evidence.reference)
        terms, beyond, below = _place(x, y, at)
        pairs = [(1, correct(model))]
        pairs += [
            (-share, correct(points["model"].iloc[i])) for i, share in terms if share
        ]
        gap = paired_mean(pairs, evidence.confidence)
        alpha = sum(share * points["alpha"].iloc[i] for i, share in terms)
        rows.append(
            {
                "model": model,
                "kind": kind,
                "curve": curve,
                "alpha": alpha,
                "beyond": beyond,
                "below": below,
                "reference": at,
                "shifts": evidence.plain_accuracy(model, MEAN),
                "gap": gap.value,
                "low": gap.low,
                "high": gap.high,
            }
        )
    found = pd.DataFrame(rows)
    return found.sort_values(
        ["gap", "model"], ascending=[False, True], ignore_index=True
    )


def _curve(evidence: Evidence, wanted: str) -> tuple[str, pd.DataFrame]:
    curves = evidence.curves()
    runs = [c for c in curves if c in evidence.named("end-to-end")] or list(curves)
    if wanted and wanted not in curves:
        raise Nothing(f"analyses.frontier.curve: there is no sweep of {wanted!r}")
    if not runs:
        raise Nothing("a frontier is a sweep, and this study has none")
    best = wanted or max(
        runs, key=lambda run: evidence.accuracy(run, evidence.held_out)
    )
    return best, curves[best]


def _place(
    x: np.ndarray, y: np.ndarray, at: float
) -> tuple[list[tuple[int, float]], bool, bool]:
    """Points of the curve and their shares whose reference accuracy is ``at``; beyond? below?"""
    if at > x.max():
        return (
            [(max(np.flatnonzero(x == x.max()), key=lambda i: y[i]), 1.0)],
            True,
            False,
        )
    found = []
    for i in range(len(x) - 1):
        low, high = sorted((x[i], x[i + 1]))
        if low <= at <= high:
            # Where both ends have this accuracy, each of them is a place.
            shares = [(at - x[i]) / (x[i + 1] - x[i])] if high > low else [0.0, 1.0]
            found += [
                ((1 - share) * y[i] + share * y[i + 1], i, share) for share in shares
            ]
    if not found:
        nearest = max(np.flatnonzero(x == x.min()), key=lambda i: y[i])
        return [(nearest, 1.0)], False, at < x.min()
    _, i, share = max(found)
    return [(i, 1 - share), (i + 1, share)], False, False


def shown(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "model": table["model"],
            "kind": table["kind"],
            "reference": [f"{100 * x:.1f}" for x in table["reference"]],
            "mean of shifts": [f"{100 * x:.1f}" for x in table["shifts"]],
            f"gap to the sweep of {table['curve'].iloc[0]}": [
                f"{100 * r.gap:+.1f} [{100 * r.low:+.1f}, {100 * r.high:+.1f}]"
                + (" (beyond it)" if r.beyond else " (below it)" if r.below else "")
                for r in table.itertuples()
            ],
        }
    )
