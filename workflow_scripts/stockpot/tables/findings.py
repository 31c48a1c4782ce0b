"""Do the papers' findings hold in this study? One row per finding.

Differences are in accuracy (fractions); their intervals are paired (see ``paired``), those
of effective robustness joint (see ``robustness.effective_robustness_interval``).
What is chosen on a test set says so: "oracle".
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..statistics.paired import paired_mean
from .measurements import ACCURACY, MEAN, datasets, reference

TUNED = 0.08  # fine-tuning gains this on the reference
COLUMNS = ["finding", "compared", "on", "value", "low", "high", "holds"]
# The claim is that such an alpha exists: it gains this under shift and loses at most this. It is
# no rule to choose alpha by; those are in ``alpha.selectors``.
GAIN, LOSS = 0.03, 0.005
# What "holds" means, a sentence per finding. The thresholds are this project's, not the papers'.
CRITERIA = (
    f"Fine-tuning gains on the reference: by at least {100 * TUNED:g} points (a threshold of this "
    "project), as estimated.",
    "Fine-tuning loses under shift: the estimate is below 0.",
    f"An inner alpha, {100 * GAIN:g} points of shift for {100 * LOSS:g}: it is the best under "
    "shift of the alphas between 0 and 1 whose reference accuracy is estimated to lie at most "
    f"{100 * LOSS:g} points below fine-tuning's, chosen on the test sets (oracle). Under shift the "
    f"estimate is at least {100 * GAIN:g} points and the interval lies above 0; on the reference "
    "the estimate counts. Both thresholds are this project's.",
    "Alpha 0.5 against fine-tuning: under shift the interval lies above 0; on the reference it "
    "does not lie below 0, so that a small loss that is not significant holds.",
    "The sweep lies above the chord: at the alpha where it does so least, chosen on the test set "
    "(oracle), the estimate is above 0.",
    "A soup against the best single model: on the reference the interval does not lie below 0; "
    "under shift the estimate is above 0.",
    "Above the line of the standard models: the joint interval lies above 0.",
)


class Study:
    """Cells of one study with their examples: what its models differ by."""

    def __init__(
        self,
        cells: pd.DataFrame,
        measurements: pd.DataFrame,
        correct: Callable,
        confidence: float,
    ):
        """cells: raw cells with their store ``key``. correct: key -> bool [n], right or not."""
        self.table, self.confidence, self._correct = measurements, confidence, correct
        self._keys = cells.set_index(["model", "dataset"])["key"].to_dict()
        self.reference = [reference(measurements)]
        self.shifts = datasets(measurements, "shift")
        self.under_shift = self.shifts[0] if len(self.shifts) == 1 else "mean of shifts"

    def accuracy(self, model: str, sets: list[str]) -> float:
        """On the reference, or on the mean of the shifts."""
        dataset = self.reference[0] if sets == self.reference else MEAN
        rows = (self.table["model"] == model) & (self.table["dataset"] == dataset)
        return float(self.table.loc[rows, "value"].iloc[0])

    def point(self, curve: str, alpha: float, model: str) -> str:
        """Name of a sweep's point at this alpha, else of ``model``; "" without either."""
        at = (self.table["curve"] == curve) & np.isclose(self.table["alpha"], alpha)
        there = [
            *self.table.loc[at, "model"],
            *self.table.loc[self.table["model"] == model, "model"],
        ]
        return there[0] if there else ""

    def row(
        self,
        finding: str,
        compared: str,
        terms: dict[str, float],
        sets: list[str],
        holds: Callable,
    ) -> dict:
        """terms: model -> coefficient of its accuracy; holds: of the estimate of their sum."""
        right = [
            (coefficient, [self._correct(self._keys[model, name]) for name in sets])
            for model, coefficient in terms.items()
        ]
        d = paired_mean(right, self.confidence)
        where = "reference" if sets == self.reference else self.under_shift
        return {
            "finding": finding,
            "compared": compared,
            "on": where,
            "value": d.value,
            "low": d.low,
            "high": d.high,
            "holds": bool(holds(d)),
        }


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
    # Differences are of right answers; what another metric says has no part in them.
    measurements = measurements[measurements["metric"] == ACCURACY]
    if not {"reference", "mean"} <= set(measurements["role"]):
        return pd.DataFrame(columns=COLUMNS)
    study = Study(cells, measurements, correct, confidence)
    rows = []
    for curve in measurements.loc[measurements["kind"] == "wise-ft", "curve"].unique():
        start, end = study.point(curve, 0, "zero-shot"), study.point(curve, 1, curve)
        if start and end:
            rows += _fine_tuning(study, curve, start, end)
            rows += _sweep(study, curve, start, end)
    best = _best_single(measurements)
    soups = measurements[measurements["kind"].isin(["uniform", "greedy"])]
    for kind, soup in (
        soups[["kind", "model"]].drop_duplicates().itertuples(index=False)
    ):
        if best:
            title = f"{kind} soup against the best single model on held-out data"
            named = (title, f"{soup} - {best}", {soup: 1, best: -1})
            rows.append(study.row(*named, study.reference, lambda d: d.high >= 0))
            rows.append(study.row(*named, study.shifts, lambda d: d.value > 0))
    rows += _robustness(rho, study.under_shift)
    return pd.DataFrame(rows, columns=COLUMNS)


def _fine_tuning(study: Study, curve: str, start: str, end: str) -> list[dict]:
    gains = f"fine-tuning gains at least {100 * TUNED:.0f} points on the reference"
    compared = (f"{curve} - zero-shot", {end: 1, start: -1})
    return [
        study.row(gains, *compared, study.reference, lambda d: d.value >= TUNED),
        study.row(
            "fine-tuning loses under shift",
            *compared,
            study.shifts,
            lambda d: d.value < 0,
        ),
    ]


def _sweep(study: Study, curve: str, start: str, end: str) -> list[dict]:
    """What holds at the inner alphas; without any, nothing."""
    points = study.table[
        (study.table["curve"] == curve) & (study.table["dataset"] == MEAN)
    ]
    points = points[(points["alpha"] > 0) & (points["alpha"] < 1)]
    inner = dict(zip(points["model"], points["alpha"]))
    if not inner:
        return []
    rows = _kept_and_gained(study, curve, list(inner), end)
    for half in [model for model, alpha in inner.items() if np.isclose(alpha, 0.5)]:
        named = (
            "alpha 0.5 against fine-tuning",
            f"{half} - {curve}",
            {half: 1, end: -1},
        )
        rows.append(study.row(*named, study.shifts, lambda d: d.low > 0))
        rows.append(study.row(*named, study.reference, lambda d: d.high >= 0))
    return rows + [
        _chord(study, inner, start, end, sets)
        for sets in (study.reference, study.shifts)
    ]


def _kept_and_gained(
    study: Study, curve: str, inner: list[str], end: str
) -> list[dict]:
    """The claim that some inner alpha gains under shift and keeps the reference.

    It is shown on the alpha where it is most so, seen on the test sets (oracle); see ``GAIN``.
    """
    ref, shifts = study.reference, study.shifts
    least = study.accuracy(end, ref) - LOSS
    kept = [model for model in inner if study.accuracy(model, ref) >= least]
    if not kept:
        return [
            {
                "finding": f"no inner alpha loses at most {100 * LOSS} points",
                "compared": curve,
                "on": "reference",
                "value": np.nan,
                "low": np.nan,
                "high": np.nan,
                "holds": False,
            }
        ]
    best = max(kept, key=lambda model: study.accuracy(model, shifts))
    title = (
        f"an inner alpha: {100 * GAIN:.0f} points of shift for {100 * LOSS} (oracle)"
    )
    named = (title, f"{best} - {curve}", {best: 1, end: -1})
    return [
        study.row(*named, shifts, lambda d: d.value >= GAIN and d.low > 0),
        study.row(*named, ref, lambda d: d.value >= -LOSS),
    ]


def _chord(
    study: Study, inner: dict[str, float], start: str, end: str, sets: list[str]
) -> dict:
    """The inner alpha that is least above the straight line between the ends.

    The interval is of that alpha; that it was picked is not in it.
    """

    def terms(model):
        return {model: 1, start: inner[model] - 1, end: -inner[model]}

    def distance(model):
        return sum(c * study.accuracy(name, sets) for name, c in terms(model).items())

    least = min(inner, key=distance)
    title = "the sweep lies above the chord (least distance, oracle)"
    return study.row(
        title, f"{least} - chord", terms(least), sets, lambda d: d.value > 0
    )


def _best_single(measurements: pd.DataFrame) -> str:
    """Name of the end-to-end run that is best on held-out data, "" where there is none."""
    runs = measurements[
        (measurements["kind"] == "end-to-end") & (measurements["role"] == "held-out")
    ]
    return "" if runs.empty else str(runs.loc[runs["value"].idxmax(), "model"])


def _robustness(rho: pd.DataFrame, under_shift: str) -> list[dict]:
    """Effective robustness of the zero-shot model and of every sweep at alpha 0.5."""
    mean = rho[rho["dataset"] == MEAN]
    chosen = mean[(mean["model"] == "zero-shot") | np.isclose(mean["alpha"], 0.5)]
    return [
        {
            "finding": "above the line of the standard models",
            "compared": r.model,
            "on": under_shift,
            "value": r.rho,
            "low": r.low,
            "high": r.high,
            "holds": bool(r.low > 0),
        }
        for r in chosen.itertuples()
    ]
