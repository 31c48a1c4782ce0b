"""Do the papers' findings hold in this study? One row per finding.

Differences are in accuracy (fractions). Their intervals are paired (see ``statistics.paired``);
those of effective robustness are joint (see ``robustness.effective_robustness_interval``).
What is chosen on a test set says so: "oracle".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..statistics.paired import PairedEstimate, paired_mean
from .measurements import ACCURACY, SHIFT_MEAN, datasets, reference
from .shared_names import MEAN_OF_SHIFTS

# Fine-tuning gains this on the reference.
TUNED = 0.08
COLUMNS = ["finding", "compared", "dataset", "value", "low", "high", "supported"]
# The claim is that such an alpha exists: it gains this under shift and loses at most this. It is
# no rule to choose alpha by; those are in ``alpha.selectors``.
GAIN = 0.03
LOSS = 0.005
# What "supported" means, a sentence per finding. The thresholds are this project's, not those of
# the papers.
CRITERIA = (
    f"Fine-tuning gains on the reference: the estimate is at least {100 * TUNED:g} points. This "
    "project chose the threshold.",
    "Fine-tuning loses under shift: the estimate is below 0.",
    f"An inner alpha, {100 * GAIN:g} points of shift for {100 * LOSS:g}: take the alphas between 0 "
    f"and 1 whose estimated reference accuracy is at most {100 * LOSS:g} points below that of "
    "fine-tuning. The one that is best under shift counts (oracle: it is chosen on the test sets). "
    f"Under shift, the estimate is at least {100 * GAIN:g} points, and the interval lies above 0. "
    "On the reference, only the estimate counts. This project chose both thresholds.",
    "Alpha 0.5 against fine-tuning: under shift, the interval lies above 0. On the reference, the "
    "interval does not lie below 0; a small loss that is not significant is allowed.",
    "The sweep lies above the chord: the estimate is above 0 at every alpha between 0 and 1. "
    "The row shows the alpha with the least distance (oracle: it is chosen on the test set).",
    "A soup against the best single model: on the reference, the interval does not lie below 0. "
    "Under shift, the estimate is above 0.",
    "Above the baseline fit: the joint interval lies above 0.",
)


@dataclass(frozen=True)
class Comparison:
    """A sum of accuracies that a finding is about.

    Attributes:
        finding: Its title.
        compared: What is compared with what, such as "base - zero-shot".
        terms: Model -> coefficient of its accuracy.
    """

    finding: str
    compared: str
    terms: dict[str, float]


class Study:
    """One study, and which answers of its models are right.

    Attributes:
        table: Its measurements; see ``measurements.measure``.
        confidence: Of the intervals.
        reference: The reference, a list of one name.
        shifts: Names of the shifts.
        under_shift: What the mean of the shifts is called: "mean of shifts", or the only shift.
    """

    def __init__(
        self,
        cells: pd.DataFrame,
        measurements: pd.DataFrame,
        correct: Callable[[str], np.ndarray],
        confidence: float,
    ):
        """Collect what the findings look at.

        Args:
            cells: A row per model and data set, with the ``key`` of its stored prediction.
            measurements: See ``measurements.measure``.
            correct: Key -> bool [n], which answers are right.
            confidence: Of the intervals.
        """
        self.table = measurements
        self.confidence = confidence
        self._correct = correct
        self._keys = cells.set_index(["model", "dataset"])["key"].to_dict()
        self.reference = [reference(measurements)]
        self.shifts = datasets(measurements, "shift")
        self.under_shift = MEAN_OF_SHIFTS
        if len(self.shifts) == 1:
            self.under_shift = self.shifts[0]

    def accuracy(self, model: str, sets: list[str]) -> float:
        """Look up the accuracy of a model.

        Args:
            model: Its name.
            sets: ``reference`` or ``shifts``.

        Returns:
            The accuracy on the reference, or the mean over the shifts.
        """
        dataset = SHIFT_MEAN
        if sets == self.reference:
            dataset = self.reference[0]
        is_model = self.table["model"] == model
        is_dataset = self.table["dataset"] == dataset
        values = self.table.loc[is_model & is_dataset, "value"]
        return float(values.iloc[0])

    def point(
        self,
        target: str,
        alpha: float,
        model: str,
    ) -> str:
        """Find the point of a sweep at an alpha.

        Args:
            target: Of the sweep.
            alpha: Of the point.
            model: What to take where the sweep has no such point.

        Returns:
            Name of the point, else of the model; "" without either.
        """
        is_target = self.table["sweep"] == target
        is_at_alpha = np.isclose(self.table["alpha"], alpha)
        is_point = is_target & is_at_alpha
        if is_point.any():
            return self.table.loc[is_point, "model"].iloc[0]
        if (self.table["model"] == model).any():
            return model
        return ""

    def row(
        self,
        comparison: Comparison,
        sets: list[str],
        holds: Callable[[PairedEstimate], bool],
    ) -> dict[str, Any]:
        """Estimate a sum of accuracies and tell whether the finding holds.

        Args:
            comparison: What is compared.
            sets: ``reference`` or ``shifts``.
            holds: Estimate -> does the finding hold?

        Returns:
            A row of the table.
        """
        terms = []
        for model, coefficient in comparison.terms.items():
            keys = [self._keys[model, name] for name in sets]
            correct = [self._correct(key) for key in keys]
            terms.append((coefficient, correct))
        estimate = paired_mean(terms, self.confidence)
        dataset = self.under_shift
        if sets == self.reference:
            dataset = "reference"
        return {
            "finding": comparison.finding,
            "compared": comparison.compared,
            "dataset": dataset,
            "value": estimate.value,
            "low": estimate.low,
            "high": estimate.high,
            "supported": bool(holds(estimate)),
        }


# The criteria by which findings hold; see ``CRITERIA``.


def _is_above(estimate: PairedEstimate) -> bool:
    return estimate.value > 0


def _is_below(estimate: PairedEstimate) -> bool:
    return estimate.value < 0


def _is_surely_above(estimate: PairedEstimate) -> bool:
    return estimate.low > 0


def _is_not_surely_below(estimate: PairedEstimate) -> bool:
    return estimate.high >= 0


def _is_large_gain(estimate: PairedEstimate) -> bool:
    return estimate.value >= GAIN and estimate.low > 0


def _is_small_loss(estimate: PairedEstimate) -> bool:
    return estimate.value >= -LOSS


def _is_tuned(estimate: PairedEstimate) -> bool:
    return estimate.value >= TUNED


def findings(
    cells: pd.DataFrame,
    measurements: pd.DataFrame,
    robustness: pd.DataFrame,
    correct: Callable[[str], np.ndarray],
    confidence: float,
) -> pd.DataFrame:
    """Test the papers' findings on a study.

    Findings about models that the study lacks are left out.

    Args:
        cells: A row per model and data set, with the ``key`` of its stored prediction.
        measurements: See ``measurements.measure``.
        robustness: Effective robustness; see ``measurements.robustness_table``.
        correct: Key -> bool [n], which answers are right.
        confidence: Of the intervals.

    Returns:
        The columns ``COLUMNS``.
    """
    # Differences are of right answers; what another metric says has no part in them.
    measurements = measurements[measurements["metric"] == ACCURACY]
    roles = set(measurements["role"])
    if not {"reference", "mean"} <= roles:
        return pd.DataFrame(columns=COLUMNS)
    study = Study(cells, measurements, correct, confidence)
    is_sweep = measurements["kind"] == "wise-ft"
    targets = measurements.loc[is_sweep, "sweep"].unique()
    rows = []
    # Findings about each sweep, about soups, and about effective robustness.
    for target in targets:
        zero_shot = study.point(target, 0, "zero-shot")
        tuned = study.point(target, 1, target)
        if zero_shot and tuned:
            rows += _fine_tuning(study, target, zero_shot, tuned)
            rows += _sweep(study, target, zero_shot, tuned)
    rows += _soups(study)
    rows += _robustness(robustness, study.under_shift)
    return pd.DataFrame(rows, columns=COLUMNS)


def _fine_tuning(
    study: Study,
    target: str,
    zero_shot: str,
    tuned: str,
) -> list[dict[str, Any]]:
    """What fine-tuning gains and loses."""
    compared = f"{target} - zero-shot"
    terms = {tuned: 1, zero_shot: -1}
    gains = f"fine-tuning gains at least {100 * TUNED:.0f} points on the reference"
    loses = "fine-tuning loses under shift"
    return [
        study.row(
            Comparison(gains, compared, terms),
            study.reference,
            _is_tuned,
        ),
        study.row(
            Comparison(loses, compared, terms),
            study.shifts,
            _is_below,
        ),
    ]


def _sweep(
    study: Study,
    target: str,
    zero_shot: str,
    tuned: str,
) -> list[dict[str, Any]]:
    """What holds at the inner alphas; without any, nothing."""
    table = study.table
    is_target = table["sweep"] == target
    # A point has a row per data set; of each point one is enough.
    is_point = is_target & (table["dataset"] == SHIFT_MEAN)
    # The end models are no mixes.
    is_inner = (table["alpha"] > 0) & (table["alpha"] < 1)
    points = table[is_point & is_inner]
    inner = dict(zip(points["model"], points["alpha"]))
    if not inner:
        return []
    rows = _kept_and_gained(study, target, list(inner), tuned)
    for model, alpha in inner.items():
        if np.isclose(alpha, 0.5):
            half = Comparison(
                "alpha 0.5 against fine-tuning",
                f"{model} - {target}",
                {model: 1, tuned: -1},
            )
            rows.append(study.row(half, study.shifts, _is_surely_above))
            rows.append(study.row(half, study.reference, _is_not_surely_below))
    # A finding on the chord is one of the reference and one of the shifts.
    for sets in (study.reference, study.shifts):
        rows.append(_chord(study, inner, zero_shot, tuned, sets))
    return rows


def _kept_and_gained(
    study: Study,
    target: str,
    inner: list[str],
    tuned: str,
) -> list[dict[str, Any]]:
    """The claim that some inner alpha gains under shift and keeps the reference.

    It is shown on the alpha where it is most so, seen on the test sets (oracle); see ``GAIN``.
    """
    # Only alphas count that keep the reference accuracy of fine-tuning, up to LOSS.
    tuned_accuracy = study.accuracy(tuned, study.reference)
    least = tuned_accuracy - LOSS
    kept = []
    for model in inner:
        accuracy = study.accuracy(model, study.reference)
        if accuracy >= least:
            kept.append(model)
    if not kept:
        return [
            {
                "finding": f"no inner alpha loses at most {100 * LOSS} points",
                "compared": target,
                "dataset": "reference",
                "value": np.nan,
                "low": np.nan,
                "high": np.nan,
                "supported": False,
            }
        ]
    best = max(kept, key=lambda model: study.accuracy(model, study.shifts))
    comparison = Comparison(
        f"an inner alpha: {100 * GAIN:.0f} points of shift for {100 * LOSS} (oracle)",
        f"{best} - {target}",
        terms={best: 1, tuned: -1},
    )
    return [
        study.row(comparison, study.shifts, _is_large_gain),
        study.row(comparison, study.reference, _is_small_loss),
    ]


def _chord(
    study: Study,
    inner: dict[str, float],
    zero_shot: str,
    tuned: str,
    sets: list[str],
) -> dict[str, Any]:
    """The inner alpha that is least above the straight line between the end models.

    The interval is of that alpha; that it was picked is not in it.

    Args:
        study: The study.
        inner: Inner point of the sweep -> its alpha.
        zero_shot: The model at alpha 0.
        tuned: The model at alpha 1.
        sets: The reference or the shifts.
    """
    terms_of = {}
    distances = {}
    for model, alpha in inner.items():
        # The point minus (1 - alpha) * zero-shot + alpha * tuned.
        terms = {
            model: 1,
            zero_shot: alpha - 1,
            tuned: -alpha,
        }
        terms_of[model] = terms
        summands = []
        for name, coefficient in terms.items():
            accuracy = study.accuracy(name, sets)
            summands.append(coefficient * accuracy)
        distances[model] = sum(summands)
    # The claim is about all alphas, so it stands or falls with the worst.
    least = min(inner, key=distances.get)
    comparison = Comparison(
        "the sweep lies above the chord (least distance, oracle)",
        f"{least} - chord",
        terms_of[least],
    )
    return study.row(comparison, sets, _is_above)


def _soups(study: Study) -> list[dict[str, Any]]:
    """Uniform and greedy soups against the best run."""
    best = _best_run(study.table)
    if not best:
        return []
    table = study.table
    is_soup = table["kind"].isin(["uniform", "greedy"])
    soups = table.loc[is_soup, ["kind", "model"]].drop_duplicates()
    rows = []
    for kind, soup in soups.itertuples(index=False):
        comparison = Comparison(
            finding=f"{kind} soup against the best single model on held-out data",
            compared=f"{soup} - {best}",
            terms={soup: 1, best: -1},
        )
        on_reference = study.row(comparison, study.reference, _is_not_surely_below)
        under_shift = study.row(comparison, study.shifts, _is_above)
        rows += [on_reference, under_shift]
    return rows


def _best_run(measurements: pd.DataFrame) -> str:
    """The end-to-end run that is best on held-out data, "" where there is none."""
    is_run = measurements["kind"] == "end-to-end"
    is_held_out = measurements["role"] == "held-out"
    runs = measurements[is_run & is_held_out]
    if runs.empty:
        return ""
    return str(runs.loc[runs["value"].idxmax(), "model"])


def _robustness(
    robustness: pd.DataFrame,
    under_shift: str,
) -> list[dict[str, Any]]:
    """Effective robustness of the zero-shot model and of every sweep at alpha 0.5."""
    mean = robustness[robustness["dataset"] == SHIFT_MEAN]
    is_zero_shot = mean["model"] == "zero-shot"
    # Models on no sweep have no alpha: NaN is close to nothing.
    is_half_way = np.isclose(mean["alpha"], 0.5)
    is_listed = is_zero_shot | is_half_way
    return [
        {
            "finding": "above the baseline fit",
            "compared": row.model,
            "dataset": under_shift,
            "value": row.effective_robustness,
            "low": row.low,
            "high": row.high,
            "supported": bool(row.low > 0),
        }
        for row in mean[is_listed].itertuples()
    ]
