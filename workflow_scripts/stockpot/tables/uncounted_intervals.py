"""Intervals of metrics that count nothing, such as macro F1, from the stored predictions."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets.dataset import Scoring, read_card, read_labels
from ..evaluation.stored_predictions import answers
from ..metrics import MetricInput, resampled


def with_intervals(
    cells: pd.DataFrame,
    folders: list[Path],
    store: Path,
    tails: tuple[float, float],
) -> pd.DataFrame:
    """Add intervals to the cells whose metric counts nothing.

    Args:
        cells: A row per model and data set.
        folders: Of the data sets.
        store: Folder of the predictions.
        tails: Lower and upper quantile.

    Returns:
        The cells with low and high: quantiles of resampled examples where a cell has no k,
        else NaN.
    """
    cells = cells.assign(low=np.nan, high=np.nan)
    uncounted = cells[cells["k"].isna()]
    if uncounted.empty:
        return cells
    folder_of = {}
    card_of = {}
    for folder in folders:
        card = read_card(folder)
        folder_of[card["name"]] = folder
        card_of[card["name"]] = card
    for row in uncounted.itertuples():
        card = card_of[row.dataset]
        scoring = Scoring(**card["scoring"])
        prediction = answers(store, row.key)
        examples = MetricInput(
            prediction.predicted,
            read_labels(folder_of[row.dataset], card),
            prediction.correct,
            groups_of(scoring),
        )
        # Quantiles of the metric over resampled examples.
        ends = interval(scoring.metric, examples, tails)
        cells.loc[row.Index, ["low", "high"]] = ends
    return cells


def interval(
    metric: str,
    examples: MetricInput,
    tails: tuple[float, float],
) -> np.ndarray:
    """Compute the interval of a metric that counts nothing.

    Args:
        metric: Its name.
        examples: What a model answered.
        tails: Lower and upper quantile.

    Returns:
        Low and high.
    """
    return np.quantile(resampled(metric, examples), tails)


def groups_of(scoring: Scoring) -> np.ndarray | None:
    """Look up the groups of the examples.

    Args:
        scoring: How the data set is scored.

    Returns:
        Int [n]; None where there are no groups.
    """
    if not scoring.groups:
        return None
    return np.array(scoring.groups)
