"""The reference without some classes."""

import numpy as np
import pandas as pd

from tests.support.published_cells import TWO_SHIFT_ROLES


def test_cells_of_the_reference_without_some_classes(tmp_path):
    import torch

    from stockpot.datasets.dataset import write_dataset
    from stockpot.evaluation.predictions import predictions
    from stockpot.evaluation.store import Store
    from stockpot.tables.class_subsets import subset_cells

    rng = np.random.default_rng(0)
    names, labels = list("pqrs"), rng.integers(0, 4, 50)
    images = np.zeros((50, 4, 4, 3), np.uint8)
    for name, classes, given in (
        ("reference", names, labels),
        ("a", ["r", "p"], labels % 2),
        ("b", names, labels),
    ):
        write_dataset(tmp_path / name, name, images, given, classes, {})
    logits = torch.tensor(rng.normal(size=(50, 4)))
    Store(tmp_path / "store").put(
        "k1", predictions(logits, torch.tensor(labels), keep_logits=True), {}, ""
    )
    cells = pd.DataFrame(
        [
            {"model": "m", "dataset": d, "key": "k1", "n": 50, "k": 1, "classes": 4}
            for d in TWO_SHIFT_ROLES
        ]
    )
    found = subset_cells(
        cells,
        TWO_SHIFT_ROLES,
        [tmp_path / d for d in TWO_SHIFT_ROLES],
        tmp_path / "store",
    )
    assert found["dataset"].tolist() == ["reference (a classes)"]
    kept = np.isin(labels, [0, 2])
    right = np.where(logits[:, 0] >= logits[:, 2], 0, 2)[kept] == labels[kept]
    row = found.iloc[0]
    assert (row["n"], row["k"], row["classes"]) == (kept.sum(), right.sum(), 2)
