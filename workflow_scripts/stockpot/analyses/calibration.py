"""Are the models' confidences to be believed? ECE, NLL, Brier, temperature (Guo et al. 2017)."""

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics import calibration
from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import BASELINE
from . import Analysis
from ._options import Names


class Options(PluginOptions):
    bins: int = Field(15, ge=1, description="number of bins of equal width")
    models: Names = Field(
        [], description="names; empty: all but standard models, and of sweeps alpha 0.5"
    )


ANALYSIS = Analysis(options=Options, needs=("logits",))


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per model and data set (bin empty), and a row per bin of its reliability diagram.

    ece, nll, brier of the model as it is; temperature, fitted on the held-out set; ece_scaled
    and nll_scaled, of its logits over that. Of a bin: low, high, n, confidence, accuracy.
    """
    models, rows = options["models"] or _default(evidence), []
    if not models:
        raise Nothing("there is no model with a result")
    evidence.check(models)
    tests = evidence.by_image()
    evidence.note_plain()
    bins, labels = options["bins"], {d: evidence.labels(d) for d in tests}
    for model in models:
        known = evidence.answers(model, evidence.held_out)
        scale = calibration.temperature(
            known.logits, evidence.labels(evidence.held_out)
        )
        for dataset in tests:
            answers = evidence.answers(model, dataset)
            logits, correct = answers.logits.astype(float), answers.correct
            confidence, scaled = (
                calibration.confidences(scores) for scores in (logits, logits / scale)
            )
            whole = {
                "n": len(correct),
                "confidence": confidence.mean(),
                "accuracy": correct.mean(),
                "ece": calibration.ece(confidence, correct, bins),
                "nll": calibration.nll(logits, labels[dataset]),
                "brier": calibration.brier(logits, labels[dataset]),
                "temperature": scale,
                "ece_scaled": calibration.ece(scaled, correct, bins),
                "nll_scaled": calibration.nll(logits / scale, labels[dataset]),
            }
            parts = calibration.reliability(confidence, correct, bins)
            parts = parts.reset_index(names="bin").to_dict("records")
            rows += [
                {"model": model, "dataset": dataset, **row} for row in (whole, *parts)
            ]
    first = ["model", "dataset", "bin", "low", "high", "n", "confidence", "accuracy"]
    table = pd.DataFrame(rows)
    return table[[*first, *(c for c in table if c not in first)]].astype(
        {"bin": "Int64"}
    )


def _default(evidence: Evidence) -> list[str]:
    table = evidence.measurements[evidence.measurements["kind"] != BASELINE]
    kept = (table["curve"] == "") | np.isclose(table["alpha"], 0.5)
    return [m for m in table.loc[kept, "model"].drop_duplicates() if evidence.known(m)]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Per model: on the first data set, the reference, and the mean over the shifts."""
    whole, first = table[table["bin"].isna()], table["dataset"].iloc[0]
    rows = []
    for model, group in whole.groupby("model", sort=False):
        row, is_reference = {"model": model}, group["dataset"] == first
        for place, part in (
            ("reference", group[is_reference]),
            ("shifts", group[~is_reference]),
        ):
            for column in ("ece", "ece_scaled"):
                row[f"{place} {column}".replace("_", " ")] = (
                    f"{100 * part[column].mean():.1f}"
                )
            for column in ("nll", "brier"):
                row[f"{place} {column}"] = f"{part[column].mean():.3f}"
        row["temperature"] = f"{group['temperature'].iloc[0]:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)
