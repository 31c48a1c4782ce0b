"""Cells of a small study: baselines on a line, runs, soups and one sweep."""

import numpy as np
import pandas as pd
from scipy.special import expit

SMALL_STUDY_ROLES = {"val": "held-out", "ref": "reference", "b": "shift", "a": "shift"}


def small_study_cells() -> pd.DataFrame:
    rows = []

    def model(name, kind, *k, sweep="", alpha=np.nan):
        for dataset, count in zip(SMALL_STUDY_ROLES, k):
            n, classes = (200, 10) if dataset == "a" else (100, 4)
            rows.append([name, kind, sweep, alpha, dataset, n, count, classes])

    for i, x in enumerate((-0.5, 0.0, 0.5, 1.0)):
        y = 0.5 * x - 1
        model(
            f"scratch-{i}",
            "from-scratch",
            0,
            *(round(100 * expit(v)) for v in (x, y)),
            round(200 * expit(y)),
        )
    model("run", "end-to-end", 90, 90, 60, 100)
    model("zero-shot", "zero-shot", 70, 70, 65, 140)
    model("stew", "new-rule", 80, 80, 60, 120)
    for alpha, held_out in ((0, 70), (0.25, 92), (0.5, 91), (0.75, 92), (1, 90)):
        model(
            f"run alpha={alpha:.2f}",
            "wise-ft",
            held_out,
            80,
            70,
            130,
            sweep="run",
            alpha=alpha,
        )
    columns = ["model", "kind", "sweep", "alpha", "dataset", "n", "k", "classes"]
    return pd.DataFrame(rows, columns=columns).assign(precision="bf16")
