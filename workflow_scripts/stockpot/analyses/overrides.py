"""Which end model does the mix follow where the two disagree?

This is a question of WiSE-FT, section 5.1.

The ensemble of the logits of both end models, in equal parts, stands for the mix of their
weights; for linear classifiers the two are the same.
"""

from typing import Any

import numpy as np
import pandas as pd

from ..tables.display import percents
from ..tables.evidence import Evidence, NothingToShowError, model_at
from . import Analysis

ANALYSIS = Analysis(needs=("logits",))


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Count on how many images the end models of a sweep disagree, and which of them prevails.

    Args:
        evidence: The study.
        options: None.

    Returns:
        A row per sweep and data set. disagreement: fraction of images on which the end models
        differ. zero_shot_overrides, target_overrides: fraction of all images on which they differ
        and the ensemble answers as the zero-shot model, and as the target. zero_shot_margin,
        target_margin: see ``margin``.

    Raises:
        NothingToShowError: If no sweep has both end models.
    """
    test_sets = evidence.sets_with_common_images()
    rows = []
    for target, points in evidence.sweeps().items():
        # A sweep whose config leaves out an end has no row.
        zero_shot = model_at(points, 0)
        tuned = model_at(points, 1)
        if zero_shot is None or tuned is None:
            continue
        for dataset in test_sets:
            zero_shot_logits = evidence.answers(zero_shot, dataset).logits
            tuned_logits = evidence.answers(tuned, dataset).logits
            # Logits are stored in float32 and added in float64.
            overrides = _overrides(
                zero_shot_logits.astype(float), tuned_logits.astype(float)
            )
            rows.append(
                {
                    "sweep": target,
                    "dataset": dataset,
                    **overrides,
                }
            )
    if not rows:
        raise NothingToShowError(
            "overrides need the end models of a sweep, and this study has no sweep"
        )
    return pd.DataFrame(rows)


def _overrides(
    zero_shot_logits: np.ndarray,
    tuned_logits: np.ndarray,
) -> dict[str, float]:
    """How often each end model prevails on one data set; logits [n, classes]."""
    zero_shot_class = zero_shot_logits.argmax(1)
    tuned_class = tuned_logits.argmax(1)
    # The ensemble stands in for the weight mix (section 5.1).
    ensemble_class = (zero_shot_logits + tuned_logits).argmax(1)
    differ = zero_shot_class != tuned_class
    return {
        "disagreement": differ.mean(),
        "zero_shot_overrides": (differ & (ensemble_class == zero_shot_class)).mean(),
        "target_overrides": (differ & (ensemble_class == tuned_class)).mean(),
        "zero_shot_margin": margin(zero_shot_logits),
        "target_margin": margin(tuned_logits),
        "n": len(differ),
    }


def margin(logits: np.ndarray) -> float:
    """Compute the mean of the largest minus the second largest logit.

    Args:
        logits: Float [n, classes].

    Returns:
        The mean; NaN for one class.
    """
    if logits.shape[1] < 2:
        return float("nan")
    # A partial sort is enough: the last two of a row are its largest.
    two_largest = np.partition(logits, -2, axis=1)[:, -2:]
    return float((two_largest[:, 1] - two_largest[:, 0]).mean())


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Write the numbers of the table as texts, fractions in percent.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per sweep and data set.
    """
    texts = table.copy()
    for column in ("disagreement", "zero_shot_overrides", "target_overrides"):
        texts[column] = percents(table[column])
    for column in ("zero_shot_margin", "target_margin"):
        texts[column] = [f"{value:.2f}" for value in table[column]]
    return texts
