"""Intervals of metrics that count nothing, such as macro F1, from the stored answers."""

from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets.dataset import Scoring, read_card, read_labels
from ..evaluation.answers import answers
from ..metrics import Answers, resampled


def with_intervals(
    cells: pd.DataFrame, folders: list[Path], store: Path, tails: tuple[float, float]
) -> pd.DataFrame:
    """The cells with low and high where they have no k: quantiles of resampled examples.

    folders: of the data sets. tails: lower and upper quantile.
    """
    cells = cells.assign(low=np.nan, high=np.nan)
    wanted = cells[cells["k"].isna()]
    if wanted.empty:
        return cells
    cards = {
        card["name"]: (folder, card)
        for folder in folders
        for card in [read_card(folder)]
    }
    for row in wanted.itertuples():
        folder, card = cards[row.dataset]
        scoring = Scoring(**card["scoring"])
        found, labels = answers(store, row.key), read_labels(folder, card)
        given = Answers(found.predicted, labels, found.correct, groups_of(scoring))
        cells.loc[row.Index, ["low", "high"]] = interval(scoring.metric, given, tails)
    return cells


def interval(metric: str, given: Answers, tails: tuple[float, float]) -> np.ndarray:
    """low and high of a metric that counts nothing."""
    return np.quantile(resampled(metric, given), tails)


def groups_of(scoring: Scoring) -> np.ndarray | None:
    return np.array(scoring.groups) if scoring.groups else None
