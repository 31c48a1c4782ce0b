"""Do the papers' findings hold in this study? One row per finding.

Differences are in accuracy (fractions); their intervals are paired (see ``paired``), those
of effective robustness joint (see ``robustness.effective_robustness_interval``).
What is chosen on a test set says so: "oracle".
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from .paired import paired_mean_difference
from .tables import MEAN, datasets, reference

GAIN, LOSS = 0.03, 0.005  # an inner alpha gains this under shift and loses at most this


class Study:
    """Cells of one study with their examples: the differences between two of its models."""

    def __init__(
        self, cells: pd.DataFrame, measurements: pd.DataFrame, correct: Callable, confidence: float
    ):
        """cells: raw cells with their store ``key``. correct: key -> bool [n], right or not."""
        self.table, self.confidence, self._correct = measurements, confidence, correct
        self._keys = cells.set_index(["model", "dataset"])["key"].to_dict()
        self.reference = [reference(measurements)]
        self.shifts = datasets(measurements, "shift")

    def accuracy(self, model: str, dataset: str) -> float:
        rows = (self.table["model"] == model) & (self.table["dataset"] == dataset)
        return float(self.table.loc[rows, "value"].iloc[0])

    def difference(self, a: str, b: str, sets: list[str]):
        arrays = [[self._correct(self._keys[model, name]) for name in sets] for model in (a, b)]
        return paired_mean_difference(*arrays, self.confidence)

    def row(self, finding: str, a: str, b: str, sets: list[str], holds: Callable) -> dict:
        d = self.difference(a, b, sets)
        where = "reference" if sets == self.reference else "mean of shifts"
        return {
            "finding": finding, "compared": f"{a} - {b}", "on": where, "value": d.difference,
            "low": d.low, "high": d.high, "holds": bool(holds(d)),
        }  # fmt: skip


def findings(
    cells: pd.DataFrame,
    measurements: pd.DataFrame,
    rho: pd.DataFrame,
    correct: Callable,
    confidence: float,
) -> pd.DataFrame:
    """Columns: finding, compared, on, value, low, high, holds.

    cells: model, curve, alpha, dataset, k, n, key. correct: store key -> bool [n]. Findings
    about models that the study lacks are left out.
    """
    study = Study(cells, measurements, correct, confidence)
    ref, shifts = study.reference, study.shifts
    rows = []
    for curve in measurements.loc[measurements["kind"] == "wise-ft", "curve"].unique():
        end = measurements.loc[measurements["model"] == curve]
        if len(end) and "zero-shot" in set(measurements["model"]):
            rows += _fine_tuning(study, curve, ref, shifts) + _sweep(study, curve, ref, shifts)
    best = _best_single(measurements)
    for soup in ("uniform", "greedy"):
        if best and soup in set(measurements["model"]):
            title = f"{soup} soup against the best single model on held-out data"
            rows.append(study.row(title, soup, best, ref, lambda d: d.high >= 0))
            rows.append(study.row(title, soup, best, shifts, lambda d: d.difference > 0))
    rows += _robustness(rho)
    columns = ["finding", "compared", "on", "value", "low", "high", "holds"]
    return pd.DataFrame(rows, columns=columns)


def _fine_tuning(study: Study, end: str, ref: list[str], shifts: list[str]) -> list[dict]:
    return [
        study.row(
            "fine-tuning gains on the reference", end, "zero-shot", ref, lambda d: d.difference > 0
        ),
        study.row(
            "fine-tuning loses under shift", end, "zero-shot", shifts, lambda d: d.difference < 0
        ),
    ]


def _sweep(study: Study, curve: str, ref: list[str], shifts: list[str]) -> list[dict]:
    """An inner alpha that keeps the reference and gains under shift; curve against chord."""
    points = study.table[study.table["curve"] == curve]
    inner = points[(points["alpha"] > 0) & (points["alpha"] < 1)]
    if inner.empty:
        return []
    on_ref = inner[inner["dataset"] == ref[0]].set_index("model")["value"]
    on_shifts = inner[inner["dataset"] == MEAN].set_index("model")["value"]
    kept = on_ref[on_ref >= study.accuracy(curve, ref[0]) - LOSS].index
    rows = []
    if len(kept):
        best = on_shifts[kept].idxmax()
        title = f"an inner alpha: {100 * GAIN:.0f} points of shift for {100 * LOSS} (oracle)"
        rows.append(
            study.row(title, best, curve, shifts, lambda d: d.difference >= GAIN and d.low > 0)
        )
        rows.append(study.row(title, best, curve, ref, lambda d: d.difference >= -LOSS))
    else:
        rows.append(
            {"finding": f"no inner alpha loses at most {100 * LOSS} points", "compared": curve,
             "on": "reference", "value": np.nan, "low": np.nan, "high": np.nan, "holds": False}
        )  # fmt: skip
    rows.append(
        study.row(
            "alpha 0.5 against fine-tuning", _at(inner, 0.5), curve, shifts, lambda d: d.low > 0
        )
    )
    rows.append(
        study.row(
            "alpha 0.5 against fine-tuning", _at(inner, 0.5), curve, ref, lambda d: d.high >= 0
        )
    )
    for dataset, where in ((ref[0], "reference"), (MEAN, "mean of shifts")):
        ends = [study.accuracy(name, dataset) for name in ("zero-shot", curve)]
        there = inner[inner["dataset"] == dataset]
        above = there["value"] - (ends[0] + there["alpha"] * (ends[1] - ends[0]))
        rows.append(
            {"finding": "the sweep lies above the chord (least distance)", "compared": curve,
             "on": where, "value": above.min(), "low": np.nan, "high": np.nan,
             "holds": bool(above.min() > 0)}
        )  # fmt: skip
    return rows


def _at(inner: pd.DataFrame, alpha: float) -> str:
    """The model of the sweep whose alpha is nearest."""
    return inner.loc[(inner["alpha"] - alpha).abs().idxmin(), "model"]


def _best_single(measurements: pd.DataFrame) -> str:
    """Name of the end-to-end run that is best on held-out data, "" where there is none."""
    runs = measurements[
        (measurements["kind"] == "end-to-end") & (measurements["role"] == "held-out")
    ]
    return "" if runs.empty else str(runs.loc[runs["value"].idxmax(), "model"])


def _robustness(rho: pd.DataFrame) -> list[dict]:
    """Effective robustness of the zero-shot model and of every sweep at alpha 0.5."""
    mean = rho[rho["dataset"] == MEAN]
    chosen = mean[(mean["model"] == "zero-shot") | np.isclose(mean["alpha"], 0.5)]
    return [
        {"finding": "above the line of the standard models", "compared": r.model,
         "on": "mean of shifts", "value": r.rho, "low": r.low, "high": r.high,
         "holds": bool(r.low > 0)}
        for r in chosen.itertuples()
    ]  # fmt: skip
