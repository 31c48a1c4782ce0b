"""Whom does the mix follow where its ends disagree? (WiSE-FT, section 5.1)

The ensemble of the two ends' logits in equal parts stands for the mix of their weights; for linear
classifiers the two are the same.
"""

import numpy as np
import pandas as pd

from ..tables.evidence import Evidence, Nothing
from . import Analysis

ANALYSIS = Analysis(needs=("logits",))


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per sweep and data set.

    disagree: share of examples on which the ends differ; zero_shot_overrides and
    tuned_overrides: share of all examples on which they differ and the ensemble answers as the
    zero-shot model, and as the other one; margins: largest minus second largest logit, mean.
    """
    tests, rows = evidence.by_image(), []
    for curve, points in evidence.curves().items():
        ends = [points.loc[points["alpha"] == end, "model"] for end in (0, 1)]
        if ends[0].empty or ends[1].empty:
            continue
        for dataset in tests:
            answers = [evidence.answers(end.iloc[0], dataset) for end in ends]
            logits = [a.logits.astype(float) for a in answers]
            zero, tuned = (scores.argmax(1) for scores in logits)
            mixed = (logits[0] + logits[1]).argmax(1)
            differ = zero != tuned
            rows.append(
                {
                    "curve": curve,
                    "dataset": dataset,
                    "disagree": differ.mean(),
                    "zero_shot_overrides": (differ & (mixed == zero)).mean(),
                    "tuned_overrides": (differ & (mixed == tuned)).mean(),
                    "zero_shot_margin": margin(logits[0]),
                    "tuned_margin": margin(logits[1]),
                    "n": len(zero),
                }
            )
    if not rows:
        raise Nothing(
            "overriding is between the ends of a sweep, and this study has none"
        )
    return pd.DataFrame(rows)


def margin(logits: np.ndarray) -> float:
    """Mean of the largest minus the second largest logit [n, classes]; NaN for one class."""
    if logits.shape[1] < 2:
        return float("nan")
    top = np.partition(logits, -2, axis=1)[:, -2:]
    return float((top[:, 1] - top[:, 0]).mean())


def shown(table: pd.DataFrame) -> pd.DataFrame:
    shares = ["disagree", "zero_shot_overrides", "tuned_overrides"]
    margins = ["zero_shot_margin", "tuned_margin"]
    table = table.assign(**{c: [f"{100 * x:.1f}" for x in table[c]] for c in shares})
    return table.assign(**{c: [f"{x:.2f}" for x in table[c]] for c in margins})
