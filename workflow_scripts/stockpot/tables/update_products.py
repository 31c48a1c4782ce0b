"""Lengths and angles of the updates of all runs of a study, as a table."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ..merging.geometry import gram_matrices
from ..models.card import read_card
from ..models.classifier import Weights


def products(start: Path, runs: Iterable[Path]) -> pd.DataFrame:
    """Tabulate the inner products of all runs' updates, of whole towers and heads.

    Args:
        start: Folder of the zero-shot model, from which updates are measured.
        runs: Folders of the runs. A run that diverged, or has other tensors, is left out.

    Returns:
        Columns model, other_model and inner_product; both (a, b) and (b, a) are listed.
    """
    zero_shot = Weights(start)
    weights = []
    for folder in runs:
        if read_card(folder).status != "ok":
            continue
        model = Weights(folder)
        # Updates of models with other tensors have no inner product.
        if model.shapes() == zero_shot.shapes():
            weights.append(model)
    if not weights:
        return _table([])
    # The inner product of two updates is the sum of those of their tensors.
    by_tensor = gram_matrices(weights, zero_shot, zero_shot.names)
    total = sum(by_tensor.values())
    names = [model.card.name for model in weights]
    rows = []
    for i, name in enumerate(names):
        for j, other in enumerate(names):
            inner_product = float(total[i, j])
            rows.append((name, other, inner_product))
    return _table(rows)


def _table(rows: list[tuple[str, str, float]]) -> pd.DataFrame:
    columns = ["model", "other_model", "inner_product"]
    return pd.DataFrame(rows, columns=columns)
