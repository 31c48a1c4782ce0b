"""Choosing alpha: what each selector chooses on every sweep, and what it misses."""

import contextlib
from typing import Any

import numpy as np
import pandas as pd

from ..alpha.selectors import compare_selectors
from ..evaluation.stored_predictions import NoLogitsError, StoredPredictions
from ..statistics.estimates import agreement_on_the_line, mean_entropy, thresholded
from ..tables.display import percent
from ..tables.evidence import Evidence, NothingToShowError
from ..tables.measurements import SHIFT_MEAN
from . import Analysis

ANALYSIS = Analysis()


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate what every selector chooses on every sweep.

    Args:
        evidence: The study.
        options: None.

    Returns:
        A row per sweep and selector: what ``compare_selectors`` gives, with the target of
        the sweep and the numbers of examples.

    Raises:
        NothingToShowError: If the study has no sweep.
    """
    evidence.note_own_metrics()
    tables = []
    for target, points in evidence.sweeps().items():
        sweep = selection_curve(evidence, points)
        # A row per selector.
        choices = compare_selectors(sweep)
        tables.append(choices.assign(sweep=target))
    if not tables:
        raise NothingToShowError("alpha is chosen on a sweep, and this study has none")
    table = pd.concat(tables, ignore_index=True)
    columns = table.columns.drop("sweep")
    shift_sizes = [len(evidence.labels(shift)) for shift in evidence.shifts]
    sizes = {
        "n_held_out": len(evidence.labels(evidence.held_out)),
        "n_reference": len(evidence.labels(evidence.reference)),
        "n_shifts": sum(shift_sizes),
    }
    table = table.assign(**sizes)
    return table[["sweep", *columns, *sizes]]


def selection_curve(
    evidence: Evidence,
    points: pd.DataFrame,
) -> pd.DataFrame:
    """Tabulate what selectors look at on a sweep.

    Args:
        evidence: The study.
        points: alpha and model of the sweep's points.

    Returns:
        A row per alpha; for the columns see ``alpha.selectors``.
    """
    models = list(points["model"])
    table = evidence.held_out_sweep(points)
    if evidence.corrupted:
        table["corrupted"] = _mean_accuracies(evidence, models, evidence.corrupted)
    # Selectors that read an estimate are left out where there is none.
    if estimable(evidence):
        table = _with_estimates(evidence, table, models)
    reference = _mean_accuracies(evidence, models, [evidence.reference])
    shifts = _mean_accuracies(evidence, models, [SHIFT_MEAN])
    return table.assign(reference=reference, shifts=shifts)


def _mean_accuracies(
    evidence: Evidence,
    models: list[str],
    datasets: list[str],
) -> list[float]:
    """The mean over some data sets of each model's accuracy."""
    means = []
    for model in models:
        accuracies = [evidence.accuracy(model, dataset) for dataset in datasets]
        means.append(np.mean(accuracies))
    return means


def estimable(evidence: Evidence) -> bool:
    """Tell whether the accuracy under shift can be estimated without its labels.

    The estimates are of plain accuracy, from what models answer to every image. If they are
    not possible, a note says why.

    Args:
        evidence: The study.

    Returns:
        True if they are possible.
    """
    sets = [evidence.held_out, *evidence.shifts]
    videos = [name for name in sets if evidence.scoring(name).videos]
    others = list(evidence.other_metrics(*sets))
    if not videos and not others:
        return True
    # Videos are the stronger reason where there are both.
    if videos:
        names = ", ".join(videos)
        why = (
            f"{names}: each model keeps the frame of a video that it gets least right, and "
            "only the label says which frame that is"
        )
    else:
        names = ", ".join(others)
        why = f"they estimate plain accuracy, and {names} is scored by another metric"
    evidence.note(f"No selector here uses estimates from unlabelled images: {why}.")
    return False


def _with_estimates(
    evidence: Evidence,
    table: pd.DataFrame,
    models: list[str],
) -> pd.DataFrame:
    """The table with thresholded, agreement and, where logits are kept, entropy.

    Each is the mean over the shifts.
    """
    held_out = [evidence.answers(model, evidence.held_out) for model in models]
    # Int [models, n], for the agreement between models.
    held_out_predicted = [answers.predicted for answers in held_out]
    by_confidence = []
    by_agreement = []
    for shift in evidence.shifts:
        answers = [evidence.answers(model, shift) for model in models]
        by_confidence.append(_confidence_estimates(held_out, answers))
        predicted = [one_model.predicted for one_model in answers]
        estimates = agreement_on_the_line(
            table["held_out"], held_out_predicted, predicted
        )
        by_agreement.append(estimates)
    table["thresholded"] = np.mean(by_confidence, axis=0)
    table["agreement"] = np.mean(by_agreement, axis=0)
    # Without stored logits there is no entropy, and no selector that needs it.
    with contextlib.suppress(NoLogitsError):
        table["entropy"] = _mean_entropies(evidence, models)
    return table


def _confidence_estimates(
    held_out: list[StoredPredictions],
    unlabelled: list[StoredPredictions],
) -> list[float]:
    """Each model's accuracy on a shift, estimated from its confidences; [models]."""
    estimates = []
    for labelled, answers in zip(held_out, unlabelled):
        estimate = thresholded(
            held_out_confidence=labelled.confidence,
            held_out_correct=labelled.correct,
            confidence=answers.confidence,
        )
        estimates.append(estimate)
    return estimates


def _mean_entropies(
    evidence: Evidence,
    models: list[str],
) -> np.ndarray:
    """The mean over the shifts of each model's entropy, [models]."""
    entropies = []
    for shift in evidence.shifts:
        logits = [evidence.answers(model, shift).logits for model in models]
        entropies.append([mean_entropy(one_model) for one_model in logits])
    return np.mean(entropies, axis=0)


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: means over all sweeps, in percent and points.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per selector.
    """
    rows = []
    # Means over the sweeps; regret is what a selector misses against the oracle.
    for label, group in table.groupby("selector_label", sort=False):
        alpha = group["alpha"]
        regret_both = group["regret_both"]
        row = {
            "selector": label,
            "sweeps": len(group),
            "alpha": _range(alpha.min(), alpha.max()),
            "reference": percent(group["reference"].mean()),
            "mean of shifts": percent(group["shifts"].mean()),
            "regret under shift": percent(group["regret_shifts"].mean()),
            "regret on both": percent(regret_both.mean()),
            "worst on both": percent(regret_both.max()),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _range(low: float, high: float) -> str:
    if low == high:
        return f"{low:g}"
    return f"{low:g} to {high:g}"
