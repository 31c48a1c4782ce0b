"""The gap of every method to a sweep of WiSE-FT: is it more than a choice of alpha?"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics.paired import paired_mean
from ..tables.display import percents, points_with_interval
from ..tables.evidence import Evidence, NothingToShowError
from ..tables.measurements import BASELINE, SHIFT_MEAN
from . import Analysis


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        sweep: Target of the sweep.
    """

    sweep: str = Field(
        "",
        description="target of the sweep to compare with; empty: the best run on "
        "held-out data",
    )


ANALYSIS = Analysis(options=Options)


class Position(NamedTuple):
    """A position on a sweep, between two of its points or at one of them.

    Attributes:
        weights: Indices of points and their weights, which sum to 1.
        beyond: Is the reference accuracy asked for above that of every point?
        below: Is it below that of every point?
    """

    weights: list[tuple[int, float]]
    beyond: bool = False
    below: bool = False


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate how far every model lies above a sweep under shift.

    Accuracies are plain, whatever a data set is scored by.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per model that is on no sweep. gap_to_sweep, low, high: its mean accuracy under
        shift minus that of the sweep at the same reference accuracy, between two alphas on the
        straight line; paired, without the uncertainty of the position on the sweep.
        reference_above_sweep, reference_below_sweep: it is better, or worse, on the reference
        than every point of the sweep; then the gap is to the nearest end of the sweep. At
        an accuracy that the sweep has twice, the point that is better under shift counts.

    Raises:
        NothingToShowError: If there is no sweep, or not the one that is named, or no model to
            compare with it.
    """
    target, points = _sweep(evidence, options["sweep"])
    evidence.note_plain_accuracy()
    point_models = list(points["model"])
    reference = _plain_accuracies(evidence, point_models, evidence.reference)
    shifts = _plain_accuracies(evidence, point_models, SHIFT_MEAN)
    correct = cache(lambda model: evidence.correct_on(model, evidence.shifts))
    table = evidence.measurements
    # Baselines and points of sweeps are not compared.
    is_point = table["sweep"] != ""
    is_baseline = table["kind"] == BASELINE
    is_compared = ~is_point & ~is_baseline
    models = table.loc[is_compared, ["model", "kind"]].drop_duplicates()
    rows = []
    for model, kind in models.itertuples(index=False):
        if not evidence.has_results(model):
            continue
        # The point of the sweep to compare with has the same reference accuracy.
        accuracy = evidence.plain_accuracy(model, evidence.reference)
        position = _position(reference, shifts, accuracy)
        row = {
            "model": model,
            "kind": kind,
            "sweep": target,
        }
        row |= _position_columns(points, position)
        row["reference"] = accuracy
        row["shifts"] = evidence.plain_accuracy(model, SHIFT_MEAN)
        row |= _gap_columns(model, point_models, position, correct, evidence.confidence)
        rows.append(row)
    if not rows:
        raise NothingToShowError("no model outside the sweeps has results")
    return pd.DataFrame(rows).sort_values(
        ["gap_to_sweep", "model"],
        ascending=[False, True],
        ignore_index=True,
    )


def _position_columns(
    points: pd.DataFrame,
    position: Position,
) -> dict[str, Any]:
    """The alpha of a position, and whether the sweep reaches it."""
    alpha = 0
    for i, weight in position.weights:
        alpha += weight * points["alpha"].iloc[i]
    return {
        "alpha": alpha,
        "reference_above_sweep": position.beyond,
        "reference_below_sweep": position.below,
    }


def _gap_columns(
    model: str,
    point_models: list[str],
    position: Position,
    correct: Callable[[str], list[np.ndarray]],
    confidence: float,
) -> dict[str, float]:
    """How far a model lies above a position of the sweep, with the paired interval."""
    # The model minus the sweep between two of its points.
    terms = [(1, correct(model))]
    for i, weight in position.weights:
        if weight:
            terms.append((-weight, correct(point_models[i])))
    gap = paired_mean(terms, confidence)
    return {
        "gap_to_sweep": gap.value,
        "low": gap.low,
        "high": gap.high,
    }


def _sweep(
    evidence: Evidence,
    target: str,
) -> tuple[str, pd.DataFrame]:
    """A sweep's target, and alpha and model of its points."""
    sweeps = evidence.sweeps()
    if target and target not in sweeps:
        raise NothingToShowError(
            f"analyses.frontier.sweep: there is no sweep of {target!r}"
        )
    if target:
        return target, sweeps[target]
    end_to_end = evidence.models_of_kind("end-to-end")
    # Sweeps to end-to-end runs are preferred to those to linear classifiers and soups.
    targets = [name for name in sweeps if name in end_to_end]
    if not targets:
        targets = list(sweeps)
    if not targets:
        raise NothingToShowError("a frontier is a sweep, and this study has none")

    def held_out_accuracy(name: str) -> float:
        """The score of a target on the held-out set."""
        return evidence.accuracy(name, evidence.held_out)

    best = max(targets, key=held_out_accuracy)
    return best, sweeps[best]


def _plain_accuracies(
    evidence: Evidence,
    models: list[str],
    dataset: str,
) -> np.ndarray:
    """Float64 [models]."""
    accuracies = [evidence.plain_accuracy(model, dataset) for model in models]
    return np.array(accuracies)


def _position(
    reference: np.ndarray,
    shifts: np.ndarray,
    accuracy: float,
) -> Position:
    """Where a sweep has a reference accuracy.

    Args:
        reference: Reference accuracies of the sweep's points, in the order of alpha.
        shifts: Their accuracies under shift.
        accuracy: The reference accuracy to look for.
    """
    if accuracy > reference.max():
        best = _best_of(reference == reference.max(), shifts)
        return Position([(best, 1.0)], beyond=True)
    # (accuracy under shift, index of the point below, weight of the next).
    candidates = []
    for i in range(len(reference) - 1):
        first = reference[i]
        second = reference[i + 1]
        low = min(first, second)
        high = max(first, second)
        is_between = low <= accuracy <= high
        if not is_between:
            continue
        # Where both points have this accuracy, each of them is a candidate.
        weights = [0.0, 1.0]
        if first != second:
            weight = (accuracy - first) / (second - first)
            weights = [weight]
        for weight in weights:
            under_shift = (1 - weight) * shifts[i] + weight * shifts[i + 1]
            candidates.append((under_shift, i, weight))
    if not candidates:
        worst = _best_of(reference == reference.min(), shifts)
        return Position([(worst, 1.0)], below=accuracy < reference.min())
    # The candidate that is best under shift; of equals the later one.
    _, i, weight = max(candidates)
    return Position([(i, 1 - weight), (i + 1, weight)])


def _best_of(is_candidate: np.ndarray, shifts: np.ndarray) -> int:
    """Index of the candidate with the highest accuracy under shift."""
    candidates = np.flatnonzero(is_candidate)
    # Of equals the first.
    return candidates[shifts[candidates].argmax()]


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Write the numbers of the table as texts.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per model, the largest gap first.
    """
    target = table["sweep"].iloc[0]
    gap_texts = [_gap_text(row) for row in table.itertuples()]
    return pd.DataFrame(
        {
            "model": table["model"],
            "kind": table["kind"],
            "reference": percents(table["reference"]),
            "mean of shifts": percents(table["shifts"]),
            f"gap to the sweep of {target}": gap_texts,
        }
    )


def _gap_text(row: Any) -> str:
    text = points_with_interval(row.gap_to_sweep, row.low, row.high)
    if row.reference_above_sweep:
        return f"{text} (beyond it)"
    if row.reference_below_sweep:
        return f"{text} (below it)"
    return text
