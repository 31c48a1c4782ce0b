"""The reference restricted to the classes of a shift: the x axis where a shift lacks classes.

ImageNet-R has 200 of ImageNet's classes; models then choose among 200 there, and must here too
(imagenet-testbed). All is computed from the stored logits.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.classes import subset
from ..datasets.dataset import Scoring, read_card, read_labels
from ..evaluation.stored_predictions import answers
from ..metrics import MetricInput, score
from ..runtime.errors import StockpotError
from .uncounted_intervals import groups_of, interval


def subset_cells(
    cells: pd.DataFrame,
    roles: dict[str, str],
    folders: list[Path],
    store: Path,
    tails: tuple[float, float] = (0.025, 0.975),
) -> pd.DataFrame:
    """Score every model on the reference, restricted to each shift that lacks classes.

    Args:
        cells: A row per model and data set.
        roles: Data set -> its role.
        folders: Of the data sets.
        store: Folder of the predictions.
        tails: Lower and upper quantile of an interval.

    Returns:
        Cells of sets that ``datasets.classes.subset`` names. Their metric is the reference's,
        with low and high where that counts nothing. Empty where every shift has all classes.

    Raises:
        StockpotError: If such a reference is scored by videos.
    """
    folder_of = {}
    card_of = {}
    for folder in folders:
        card = read_card(folder)
        name = card["name"]
        folder_of[name] = folder
        card_of[name] = card
    (reference,) = [name for name, role in roles.items() if role == "reference"]
    shifts = [name for name, role in roles.items() if role == "shift"]
    shift_cards = {shift: card_of[shift] for shift in shifts}
    card = card_of[reference]
    scoring = Scoring(**card["scoring"])
    kept_classes = _kept_classes(card, shift_cards)
    if kept_classes and scoring.videos:
        raise StockpotError(
            f"statistics.class_subset: {reference} is scored by videos and cannot be restricted to "
            "some classes"
        )
    rows: list[dict[str, Any]] = []
    if kept_classes:
        labels = read_labels(folder_of[reference], card)
        is_reference = cells["dataset"] == reference
        for cell in cells[is_reference].to_dict("records"):
            rows += _restricted_cells(cell, store, labels, kept_classes, scoring, tails)
    # Columns that only the new cells have come last.
    columns = dict.fromkeys(cells.columns)
    for row in rows:
        columns |= dict.fromkeys(row)
    return pd.DataFrame(rows, columns=list(columns))


def _restricted_cells(
    cell: dict[str, Any],
    store: Path,
    labels: np.ndarray,
    kept_classes: dict[str, np.ndarray],
    scoring: Scoring,
    tails: tuple[float, float],
) -> list[dict[str, Any]]:
    """A model's cells on the reference, restricted to the classes of each shift.

    Args:
        cell: The model's cell on the whole reference.
        store: Folder of the predictions.
        labels: Int [n], of the reference.
        kept_classes: Shift -> indices of the classes that it has.
        scoring: Of the reference.
        tails: Lower and upper quantile of an interval.
    """
    prediction = answers(store, cell["key"])
    logits = prediction.logits
    rows = []
    for shift, kept in kept_classes.items():
        examples = _restricted(logits, labels, kept, scoring)
        # All else of the cell stays as it was: model, kind, precision.
        row = dict(cell)
        row["dataset"] = subset(cell["dataset"], shift)
        row["classes"] = len(kept)
        row |= _scores(scoring.metric, examples, tails)
        rows.append(row)
    return rows


def _kept_classes(
    reference_card: dict[str, Any],
    shift_cards: dict[str, dict[str, Any]],
) -> dict[str, np.ndarray]:
    """Shift -> indices of the reference's classes that it has, if it lacks some."""
    class_names = reference_card["class_names"]
    kept_classes = {}
    for shift, card in shift_cards.items():
        # Two data sets may merge the model's classes differently, so those are compared.
        shift_classes = _model_classes(card, card["class_names"])
        kept = []
        for index, class_name in enumerate(class_names):
            model_classes = _model_classes(reference_card, [class_name])
            if model_classes & shift_classes:
                kept.append(index)
        if len(kept) < len(class_names):
            kept_classes[shift] = np.array(kept, int)
    return kept_classes


def _model_classes(
    card: dict[str, Any],
    class_names: list[str],
) -> set[str]:
    """The model's classes that stand for these of the data set."""
    merges = card["scoring"].get("merges", {})
    classes: set[str] = set()
    for name in class_names:
        classes.update(merges.get(name, [name]))
    return classes


def _restricted(
    logits: np.ndarray,
    labels: np.ndarray,
    kept: np.ndarray,
    scoring: Scoring,
) -> MetricInput:
    """Answers among some classes, to the examples of these classes.

    Args:
        logits: Float [n, classes].
        labels: Int [n].
        kept: Indices of the classes.
        scoring: Of the whole data set.
    """
    is_kept = np.isin(labels, kept)
    rows = np.flatnonzero(is_kept)
    kept_labels = labels[rows]
    kept_logits = logits[rows][:, kept]
    # The best of the kept classes, as an index into all classes.
    predicted = kept[kept_logits.argmax(1)]
    correct = predicted == kept_labels
    if scoring.accepted:
        # An image may have several labels, any of which is right.
        is_accepted = []
        for class_index, row in zip(predicted, rows):
            is_accepted.append(class_index in scoring.accepted[row])
        correct = np.array(is_accepted)
    groups = groups_of(scoring)
    if groups is not None:
        groups = groups[rows]
    return MetricInput(predicted, kept_labels, correct, groups)


def _scores(
    metric: str,
    examples: MetricInput,
    tails: tuple[float, float],
) -> dict[str, object]:
    """The columns of a cell that its answers decide."""
    columns = {"metric": metric}
    columns |= score(metric, examples)._asdict()
    # A count gets its interval later, with all other counts.
    if columns["k"] is None:
        low, high = interval(metric, examples, tails)
        columns["low"] = low
        columns["high"] = high
    return columns
