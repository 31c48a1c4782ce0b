"""Tables of a synthetic study with two sweeps, a soup, runs and baselines, for the main figures."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stockpot.drawing import style
from stockpot.tables.measurements import measure, robustness_table

SHIFTS = ["v2", "renditions", "sketch", "objectnet", "wide"]


ROLES = {
    "held-out": "held-out",
    "reference": "reference",
    **dict.fromkeys(SHIFTS, "shift"),
}


OFFSETS = np.array([0.16, -0.04, -0.12, 0.05, -0.05])


N = 4000


CLASSES = {
    **dict.fromkeys(ROLES, 50),
    "sketch": 4,
    "wide": 3,
}  # chance is in view for two


def study_cells() -> pd.DataFrame:
    """Raw cells of a study with two sweeps and a soup sweep, runs, soups and baselines."""
    rng = np.random.default_rng(1)
    rows = []

    def model(name, kind, reference, shift, sweep="", alpha=np.nan):
        values = [reference + 0.004, reference, *(shift + OFFSETS * (1.2 - shift))]
        values = np.clip(values + rng.normal(0, 0.002, len(values)), 0, 1)
        for dataset, value in zip(ROLES, values):
            rows.append(
                [
                    name,
                    kind,
                    sweep,
                    alpha,
                    dataset,
                    N,
                    round(value * N),
                    CLASSES[dataset],
                ]
            )

    def sweep(target, reference, shift, bow):
        for a in np.linspace(0, 1, 21):
            model(
                f"{target} alpha={a:.2f}",
                "wise-ft",
                0.72
                + a * (reference - 0.72)
                + bow[0] * 4 * a * (1 - a) * (1.4 - 0.8 * a),
                0.62 + a * (shift - 0.62) + bow[1] * 4 * a * (1 - a),
                target,
                a,
            )

    model("zero-shot", "zero-shot", 0.72, 0.62)
    model("base", "end-to-end", 0.91, 0.57)
    for i, (x, y) in enumerate(
        zip(np.linspace(0.90, 0.92, 8)[rng.permutation(8)], np.linspace(0.60, 0.48, 8))
    ):
        model(f"search-{i + 1:02d}", "end-to-end", x, y)
    model("linear", "linear-classifier", 0.86, 0.585)
    model("uniform", "uniform", 0.925, 0.615)
    model("greedy", "greedy", 0.93, 0.60)
    model("ensemble", "logit-ensemble", 0.932, 0.59)
    sweep("base", 0.91, 0.57, (0.075, 0.065))
    sweep("linear", 0.86, 0.585, (0.04, 0.03))
    sweep("greedy", 0.93, 0.60, (0.075, 0.06))
    for i, x in enumerate(np.linspace(-0.2, 2.09, 12)):
        y = 1 / (1 + np.exp(-(0.52 * x - 1.28 + rng.normal(0, 0.06))))
        model(f"standard-{i + 1}", "from-scratch", 1 / (1 + np.exp(-x)), y)
    columns = ["model", "kind", "sweep", "alpha", "dataset", "n", "k", "classes"]
    return pd.DataFrame(rows, columns=columns).assign(precision="bf16")


def tables_of(cells: pd.DataFrame) -> dict[str, pd.DataFrame]:
    measurements = measure(cells, ROLES, 0.95)
    fits, rho = robustness_table(measurements, "logit", 0.95)
    return {"measurements": measurements, "fits": fits, "robustness": rho}


def file_digest(figure: Figure, path: Path) -> str:
    style.save(figure, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()
