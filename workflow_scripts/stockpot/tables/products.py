"""Lengths and angles of the updates of all runs of a study, as a table."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..merging.geometry import gram
from ..models.card import read_card
from ..models.classifier import Weights


def products(start: Path, runs: Iterable[Path]) -> pd.DataFrame:
    """Inner products of all runs' updates, whole towers and heads: model, other, product.

    start, runs: Classifier folders; a run that diverged, or has other tensors, is left out.
    Both (a, b) and (b, a) are listed.
    """
    weights = [Weights(folder) for folder in runs if read_card(folder).status == "ok"]
    first = Weights(start)
    weights = [model for model in weights if model.shapes() == first.shapes()]
    total = sum(gram(weights, first, first.names).values()) if weights else []
    names = [model.card.name for model in weights]
    rows = [
        (a, b, float(total[i, j]))
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    ]
    return pd.DataFrame(rows, columns=["model", "other", "product"])
