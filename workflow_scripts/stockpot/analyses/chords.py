"""Does a sweep lie above the straight line between its end models?

Observations 1 and 2 of WiSE-FT (section 5.2): every mix is at least as good as the end models
mixed in proportion; some mix is better than both of them.
"""

from typing import Any

import numpy as np
import pandas as pd

from ..statistics.paired import paired_mean
from ..tables.display import points_with_interval
from ..tables.evidence import Evidence, NothingToShowError, mean_accuracy, model_at
from . import Analysis

ANALYSIS = Analysis()


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Compare every point of every sweep with the line between the end models.

    Args:
        evidence: The study.
        options: None.

    Returns:
        A row per sweep, data set and inner alpha. distance, low, high: above the line, with its
        paired interval. gain_over_better_end, gain_over_better_end_low,
        gain_over_better_end_high: above the better end model.

    Raises:
        NothingToShowError: If no sweep has alpha 0, alpha 1 and one between.
    """
    evidence.note_plain_accuracy()
    rows = []
    for target, points in evidence.sweeps().items():
        # A chord needs both end models, and a point between them.
        has_inner = ((points["alpha"] > 0) & (points["alpha"] < 1)).any()
        first = model_at(points, 0)
        last = model_at(points, 1)
        if not has_inner or first is None or last is None:
            continue
        for set_name, datasets in evidence.sets_and_mean.items():
            correct = {
                model: evidence.correct_on(model, datasets) for model in points["model"]
            }
            distances = _distances(points, first, last, correct, evidence.confidence)
            rows += [
                {
                    "sweep": target,
                    "dataset": set_name,
                    **row,
                }
                for row in distances
            ]
    if not rows:
        raise NothingToShowError(
            "a chord needs a sweep with alpha 0, alpha 1 and an alpha between them"
        )
    return pd.DataFrame(rows)


def _distances(
    points: pd.DataFrame,
    first: str,
    last: str,
    correct: dict[str, list[np.ndarray]],
    confidence: float,
) -> list[dict[str, float]]:
    """A row per inner alpha of one sweep.

    Args:
        points: alpha and model of the sweep's points.
        first: The model at alpha 0.
        last: The model at alpha 1.
        correct: Model -> bool [n] per data set.
        confidence: Of the intervals.
    """
    # Plain accuracies, whatever the metric of the data set.
    accuracy = {model: mean_accuracy(arrays) for model, arrays in correct.items()}
    # Which end model is better is seen on the test set itself.
    better = max(first, last, key=accuracy.get)
    inner = points[(points["alpha"] > 0) & (points["alpha"] < 1)]
    rows = []
    for alpha, model in zip(inner["alpha"], inner["model"]):
        # The line at alpha is (1 - alpha) * first + alpha * last.
        above_line = paired_mean(
            [
                (1, correct[model]),
                (alpha - 1, correct[first]),
                (-alpha, correct[last]),
            ],
            confidence,
        )
        above_better = paired_mean(
            [(1, correct[model]), (-1, correct[better])], confidence
        )
        rows.append(
            {
                "alpha": alpha,
                "accuracy": accuracy[model],
                "distance": above_line.value,
                "low": above_line.low,
                "high": above_line.high,
                "gain_over_better_end": above_better.value,
                "gain_over_better_end_low": above_better.low,
                "gain_over_better_end_high": above_better.high,
                "n": sum(map(len, correct[model])),
            }
        )
    return rows


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: the least distance above the line, and the best alpha (oracle).

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per sweep and data set.
    """
    rows = []
    for (target, set_name), group in table.groupby(["sweep", "dataset"], sort=False):
        # Both alphas are chosen on the test set: oracles.
        least = group.loc[group["distance"].idxmin()]
        best = group.loc[group["gain_over_better_end"].idxmax()]
        above_line = points_with_interval(
            least["distance"],
            least["low"],
            least["high"],
        )
        above_better = points_with_interval(
            best["gain_over_better_end"],
            best["gain_over_better_end_low"],
            best["gain_over_better_end_high"],
        )
        rows.append(
            {
                "sweep": target,
                "dataset": set_name,
                "least above the chord (oracle)": (
                    f"{above_line} at alpha {least['alpha']:g}"
                ),
                "best over both ends (oracle)": (
                    f"{above_better} at alpha {best['alpha']:g}"
                ),
            }
        )
    return pd.DataFrame(rows)
