"""Are the models' confidences to be believed? ECE, NLL, Brier, temperature (Guo et al. 2017)."""

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics import calibration
from ..tables.display import percent
from ..tables.evidence import Evidence, NothingToShowError
from ..tables.measurements import BASELINE
from . import Analysis
from ._options import Names


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        bins: Number of bins of the reliability diagram.
        models: Names of models.
    """

    bins: int = Field(
        15,
        ge=1,
        description="number of bins of equal width",
    )
    models: Names = Field(
        [],
        description="names of models; empty: all except baselines, and alpha 0.5 of "
        "sweeps",
    )


ANALYSIS = Analysis(options=Options, needs=("logits",))

_FIRST_COLUMNS = [
    "model",
    "dataset",
    "bin",
    "low",
    "high",
    "n",
    "confidence",
    "accuracy",
]


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate the calibration of models and their reliability diagrams.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per model and data set (bin empty), and a row per bin of its reliability diagram.
        ece, nll, brier: of the model as it is. temperature: fitted on the held-out set.
        ece_scaled, nll_scaled: of the logits divided by it. A bin has low, high, n, confidence
        and accuracy.

    Raises:
        NothingToShowError: If there is no model, or one that is named has no result.
    """
    models = options["models"] or _default_models(evidence)
    if not models:
        raise NothingToShowError("there is no model with a result")
    evidence.require_results(models)
    test_sets = evidence.sets_with_common_images()
    evidence.note_plain_accuracy()
    labels = {dataset: evidence.labels(dataset) for dataset in test_sets}
    held_out_labels = evidence.labels(evidence.held_out)
    rows = []
    for model in models:
        # The temperature is fitted on held-out data and used on the test sets.
        held_out_logits = evidence.answers(model, evidence.held_out).logits
        temperature = calibration.temperature(held_out_logits, held_out_labels)
        for dataset in test_sets:
            name = {"model": model, "dataset": dataset}
            answers = evidence.answers(model, dataset)
            # Logits are stored in float32; sums of their exponentials are in float64.
            logits = answers.logits.astype(float)
            scores, diagram = _calibration(
                logits,
                answers.correct,
                labels[dataset],
                temperature,
                options["bins"],
            )
            # A row of the whole data set, then a row per bin.
            for row in (scores, *diagram):
                rows.append(name | row)
    table = pd.DataFrame(rows)
    # Columns that rows of models and of bins share come first.
    other_columns = [name for name in table if name not in _FIRST_COLUMNS]
    table = table[[*_FIRST_COLUMNS, *other_columns]]
    return table.astype({"bin": "Int64"})


def _calibration(
    logits: np.ndarray,
    correct: np.ndarray,
    labels: np.ndarray,
    temperature: float,
    bins: int,
) -> tuple[dict[str, float], list[dict[str, float]]]:
    """Scores of one model on one data set, and the bins of its reliability diagram."""
    scaled_logits = logits / temperature
    confidence = calibration.confidences(logits)
    scaled_confidence = calibration.confidences(scaled_logits)
    scores = {
        "n": len(correct),
        "confidence": confidence.mean(),
        "accuracy": correct.mean(),
        "ece": calibration.ece(confidence, correct, bins),
        "nll": calibration.nll(logits, labels),
        "brier": calibration.brier(logits, labels),
        "temperature": temperature,
        "ece_scaled": calibration.ece(scaled_confidence, correct, bins),
        "nll_scaled": calibration.nll(scaled_logits, labels),
    }
    diagram = calibration.reliability(confidence, correct, bins)
    return scores, diagram.reset_index(names="bin").to_dict("records")


def _default_models(evidence: Evidence) -> list[str]:
    """All models except baselines; of sweeps only alpha 0.5."""
    table = evidence.measurements[evidence.measurements["kind"] != BASELINE]
    # Alpha 0.5 stands for all points of a sweep.
    is_kept = (table["sweep"] == "") | np.isclose(table["alpha"], 0.5)
    models = table.loc[is_kept, "model"].drop_duplicates()
    return [model for model in models if evidence.has_results(model)]


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: the first data set, the reference, and the mean over the shifts.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per model.
    """
    # Rows with a bin are those of the reliability diagrams.
    whole = table[table["bin"].isna()]
    reference = table["dataset"].iloc[0]
    rows = []
    for model, group in whole.groupby("model", sort=False):
        is_reference = group["dataset"] == reference
        rows.append(
            {
                "model": model,
                **_means("reference", group[is_reference]),
                **_means("shifts", group[~is_reference]),
                "temperature": f"{group['temperature'].iloc[0]:.2f}",
            }
        )
    return pd.DataFrame(rows)


def _means(title: str, table: pd.DataFrame) -> dict[str, str]:
    """Heading -> mean of a model's scores over some data sets."""
    return {
        f"{title} ece": percent(table["ece"].mean()),
        f"{title} ece scaled": percent(table["ece_scaled"].mean()),
        f"{title} nll": f"{table['nll'].mean():.3f}",
        f"{title} brier": f"{table['brier'].mean():.3f}",
    }
