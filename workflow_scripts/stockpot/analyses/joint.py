"""Training on two data sets at once, against mixing weights, which needs no second data set.

A reviewer's question that both papers leave open. The run with ``second_dataset`` has seen
images of one shift; the runs of the sweeps have seen none.
"""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics.paired import paired_mean
from ..tables.display import percents, points_column
from ..tables.evidence import Evidence, NothingToShowError, mean_accuracy
from . import Analysis


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        sweeps: Targets of sweeps.
    """

    sweeps: list[str] = Field(
        [],
        description="targets of sweeps; empty: all runs that were trained on every "
        "training image",
    )


ANALYSIS = Analysis(options=Options)


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Compare every point of the sweeps with the runs on two data sets.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per joint run, sweep of a run, alpha and data set. difference, low, high: of
        the mix minus the joint run, paired. accuracy, joint_accuracy: of the two.

    Raises:
        NothingToShowError: If there is no joint run, or no sweep to compare it with.
    """
    joint_runs = _joint_runs(evidence)
    sweeps = _eligible_sweeps(evidence, options["sweeps"])
    if not joint_runs or not sweeps:
        raise NothingToShowError(
            "this needs a run with the option second_dataset, and a sweep to compare it with"
        )
    evidence.note_plain_accuracy()
    sets = evidence.sets_and_mean
    rows = []
    for joint_run, (target, points) in product(joint_runs, sweeps.items()):
        for point, set_name in product(points.itertuples(), sets):
            datasets = sets[set_name]
            mix_correct = evidence.correct_on(point.model, datasets)
            joint_correct = evidence.correct_on(joint_run, datasets)
            row = {
                "joint_run": joint_run,
                "second_dataset": evidence.settings(joint_run)["second_dataset"],
                "sweep": target,
                "alpha": point.alpha,
                "dataset": set_name,
            }
            row |= _comparison(mix_correct, joint_correct, evidence.confidence)
            rows.append(row)
    return pd.DataFrame(rows)


def _joint_runs(evidence: Evidence) -> list[str]:
    """The runs on two data sets that have a result."""
    return [
        name
        for name in evidence.models
        if evidence.settings(name).get("second_dataset") and evidence.has_results(name)
    ]


def _eligible_sweeps(
    evidence: Evidence,
    targets: list[str],
) -> dict[str, pd.DataFrame]:
    """The sweeps to compare with: to a run on every image of the training set and no other.

    Args:
        evidence: The study.
        targets: The only targets to take; empty for all.
    """
    eligible = {}
    for target, points in evidence.sweeps().items():
        if targets and target not in targets:
            continue
        # Models that the study did not train have no settings.
        settings = evidence.settings(target)
        # A target with ingredients is a soup.
        is_run = bool(settings) and not evidence.models[target].get("ingredients")
        saw_every_image = not settings.get("shots")
        if is_run and saw_every_image and not evidence.trained_on_shift(target):
            eligible[target] = points
    return eligible


def _comparison(
    mix_correct: list[np.ndarray],
    joint_correct: list[np.ndarray],
    confidence: float,
) -> dict[str, float]:
    """Accuracies of a mix and of a joint run, and their difference."""
    difference = paired_mean([(1, mix_correct), (-1, joint_correct)], confidence)
    return {
        "accuracy": mean_accuracy(mix_correct),
        "joint_accuracy": mean_accuracy(joint_correct),
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
        "n": sum(map(len, mix_correct)),
    }


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table to alpha 0.5, or the nearest alpha.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per joint run, sweep and data set.
    """
    # If two alphas are equally near, the first in the table counts.
    nearest = min(table["alpha"].unique(), key=_distance_to_half)
    half = table[table["alpha"] == nearest]
    return pd.DataFrame(
        {
            "joint run": half["joint_run"],
            "sweep": [f"{row.sweep}, alpha {row.alpha:g}" for row in half.itertuples()],
            "dataset": half["dataset"],
            "mix": percents(half["accuracy"]),
            "joint": percents(half["joint_accuracy"]),
            "mix minus joint": points_column(half, "difference"),
        }
    )


def _distance_to_half(alpha: float) -> float:
    return abs(alpha - 0.5)
