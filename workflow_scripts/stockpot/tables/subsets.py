"""The reference restricted to the classes of a shift: the x axis where a shift lacks classes.

ImageNet-R has 200 of ImageNet's classes; models then choose among 200 there, and must here too
(imagenet-testbed). All from the stored logits.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets.classes import subset
from ..datasets.dataset import Scoring, read_card, read_labels
from ..evaluation.answers import answers
from ..metrics import Answers, score
from ..runtime.errors import StockpotError
from .resampled import groups_of, interval


def subset_cells(
    cells: pd.DataFrame,
    roles: dict[str, str],
    folders: list[Path],
    store: Path,
    tails: tuple[float, float] = (0.025, 0.975),
) -> pd.DataFrame:
    """Cells of every model on the reference, restricted to each shift that lacks classes.

    folders: of the data sets. The name of such a set is ``tables.subset``'s; its metric is the
    reference's, with low and high (quantiles ``tails``) where that counts nothing. Empty where
    every shift has all classes. StockpotError where the reference is scored by videos.
    """
    cards = {
        card["name"]: (folder, card)
        for folder in folders
        for card in [read_card(folder)]
    }
    whole = next(name for name, role in roles.items() if role == "reference")
    folder, card = cards[whole]
    labels, classes = read_labels(folder, card), card["class_names"]
    scoring, parts = Scoring(**card["scoring"]), {}
    for shift in (name for name, role in roles.items() if role == "shift"):
        there = _behind(cards[shift][1], cards[shift][1]["class_names"])
        kept = [i for i, name in enumerate(classes) if _behind(card, [name]) & there]
        if len(kept) < len(classes):
            parts[shift] = np.array(kept, int)
    if parts and scoring.videos:
        raise StockpotError(
            f"statistics.class_subset: {whole} is scored by videos and cannot be restricted to "
            "some classes"
        )
    rows = []
    for cell in cells[cells["dataset"] == whole].to_dict("records") if parts else ():
        logits = answers(store, cell["key"]).logits
        for shift, kept in parts.items():
            given = _restricted(logits, labels, kept, scoring)
            named = {"dataset": subset(whole, shift), "classes": len(kept)}
            found = {"metric": scoring.metric, **score(scoring.metric, given)._asdict()}
            if found["k"] is None:
                found["low"], found["high"] = interval(scoring.metric, given, tails)
            rows.append({**cell, **named, **found})
    columns = list(
        dict.fromkeys([*cells.columns, *(key for row in rows for key in row)])
    )
    return pd.DataFrame(rows, columns=columns)


def _behind(card: dict, names: list[str]) -> set[str]:
    """The model's classes that stand for these of the data set."""
    merges = card["scoring"].get("merges", {})
    return {wanted for name in names for wanted in merges.get(name, [name])}


def _restricted(
    logits: np.ndarray, labels: np.ndarray, kept: np.ndarray, scoring: Scoring
) -> Answers:
    """Answers among some classes, to the examples of these classes."""
    rows = np.flatnonzero(np.isin(labels, kept))
    predicted = kept[logits[rows][:, kept].argmax(1)]
    correct = predicted == labels[rows]
    if scoring.accepted:
        correct = np.array(
            [p in scoring.accepted[row] for p, row in zip(predicted, rows)]
        )
    groups = groups_of(scoring)
    return Answers(
        predicted, labels[rows], correct, groups if groups is None else groups[rows]
    )
