"""The reference restricted to the classes of a shift: the x axis where a shift lacks classes.

ImageNet-R has 200 of ImageNet's classes; models then choose among 200 there, and must here too
(imagenet-testbed). All from the stored logits.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from ..datasets.classes import subset
from ..datasets.dataset import LABELS, read_card
from .answers import answers


def subset_cells(
    cells: pd.DataFrame, roles: dict[str, str], folders: list[Path], store: Path
) -> pd.DataFrame:
    """Cells of every model on the reference, restricted to each shift that lacks classes.

    folders: of the data sets. The name of such a set is ``tables.subset``'s. Empty where every
    shift has all classes.
    """
    cards = {card["name"]: (folder, card) for folder in folders for card in [read_card(folder)]}
    whole = next(name for name, role in roles.items() if role == "reference")
    folder, card = cards[whole]
    labels, classes = np.load(folder / LABELS, allow_pickle=False), card["class_names"]
    parts = {}
    for shift in (name for name, role in roles.items() if role == "shift"):
        kept = [i for i, name in enumerate(classes) if name in cards[shift][1]["class_names"]]
        if len(kept) < len(classes):
            parts[shift] = np.array(kept)
    rows = []
    for cell in cells[cells["dataset"] == whole].to_dict("records") if parts else ():
        logits = answers(store, cell["key"]).logits
        for shift, kept in parts.items():
            examples = np.isin(labels, kept)
            predicted = kept[logits[examples][:, kept].argmax(1)]
            counts = {"n": int(examples.sum()), "k": int((predicted == labels[examples]).sum())}
            named = {"dataset": subset(whole, shift), "classes": len(kept)}
            named["value"] = counts["k"] / counts["n"]
            rows.append({**cell, **named, **counts})
    return pd.DataFrame(rows, columns=cells.columns)
