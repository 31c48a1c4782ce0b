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
        folder_of[card["name"]] = folder
        card_of[card["name"]] = card
    reference = next(name for name, role in roles.items() if role == "reference")
    shifts = [name for name, role in roles.items() if role == "shift"]
    card = card_of[reference]
    scoring = Scoring(**card["scoring"])
    kept_classes = _kept_classes(card, {shift: card_of[shift] for shift in shifts})
    if kept_classes and scoring.videos:
        raise StockpotError(
            f"statistics.class_subset: {reference} is scored by videos and cannot be restricted to "
            "some classes"
        )
    rows = []
    if kept_classes:
        labels = read_labels(folder_of[reference], card)
        for cell in cells[cells["dataset"] == reference].to_dict("records"):
            logits = answers(store, cell["key"]).logits
            for shift, kept in kept_classes.items():
                examples = _restricted(logits, labels, kept, scoring)
                # All else of the cell stays as it was: model, kind, precision.
                row = cell | {
                    "dataset": subset(reference, shift),
                    "classes": len(kept),
                }
                rows.append(row | _scores(scoring.metric, examples, tails))
    # Columns that only the new cells have come last.
    columns = dict.fromkeys(cells.columns)
    for row in rows:
        columns |= dict.fromkeys(row)
    return pd.DataFrame(rows, columns=list(columns))


def _kept_classes(
    reference_card: dict[str, Any],
    shift_cards: dict[str, dict[str, Any]],
) -> dict[str, np.ndarray]:
    """Shift -> indices of the reference's classes that it has, if it lacks some."""
    class_names = reference_card["class_names"]
    kept_classes = {}
    for shift, card in shift_cards.items():
        # Two data sets may merge the model's classes differently, so those are compared.
        in_shift = _model_classes(card, card["class_names"])
        kept = []
        for index, class_name in enumerate(class_names):
            if _model_classes(reference_card, [class_name]) & in_shift:
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
    rows = np.flatnonzero(np.isin(labels, kept))
    # The best of the kept classes, as an index into all classes.
    predicted = kept[logits[rows][:, kept].argmax(1)]
    correct = predicted == labels[rows]
    if scoring.accepted:
        # An image may have several labels, any of which is right.
        correct = np.array(
            [
                class_index in scoring.accepted[row]
                for class_index, row in zip(predicted, rows)
            ]
        )
    groups = groups_of(scoring)
    if groups is not None:
        groups = groups[rows]
    return MetricInput(predicted, labels[rows], correct, groups)


def _scores(
    metric: str,
    examples: MetricInput,
    tails: tuple[float, float],
) -> dict[str, object]:
    """The columns of a cell that its answers decide."""
    columns = {
        "metric": metric,
        **score(metric, examples)._asdict(),
    }
    # A count gets its interval later, with all other counts.
    if columns["k"] is None:
        columns["low"], columns["high"] = interval(metric, examples, tails)
    return columns
