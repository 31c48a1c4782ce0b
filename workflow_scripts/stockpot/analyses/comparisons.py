"""Which differences are significant: any two models, tested on the same examples."""

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics import comparisons
from ..tables.display import points_column
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError
from ..tables.measurements import BASELINE
from . import Analysis
from ._options import Pairs


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        pairs: Pairs of models.
    """

    pairs: Pairs = Field(
        [],
        description="pairs of models, as [base, 'base alpha=0.5']; empty: every model "
        "with the zero-shot model, and with the best run",
    )


ANALYSIS = Analysis(options=Options)


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Compare pairs of models on every test set and on the mean of the shifts.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        What ``statistics.comparisons.comparisons`` gives, with the confidence.

    Raises:
        NothingToShowError: If there are no two models, or one that is named has no result.
    """
    pairs = [tuple(pair) for pair in options["pairs"]]
    if not pairs:
        pairs = _default_pairs(evidence)
    models: list[str] = []
    for pair in pairs:
        models += pair
    evidence.require_results(models)
    if not pairs:
        raise NothingToShowError("a comparison needs two models")
    evidence.note_plain_accuracy()
    table = comparisons.comparisons(
        pairs, evidence.sets_and_mean, evidence.correct, evidence.confidence
    )
    return table.assign(confidence=evidence.confidence)


def _default_pairs(evidence: Evidence) -> list[tuple[str, str]]:
    """All models against the best run and the zero-shot model; of sweeps only alpha 0.5."""
    table = evidence.measurements[evidence.measurements["kind"] != BASELINE]
    is_kept = (table["sweep"] == "") | np.isclose(table["alpha"], 0.5)
    models = table.loc[is_kept, "model"].drop_duplicates()
    models = [model for model in models if evidence.has_results(model)]
    # These two are compared with each other, and all others with each of them.
    compared_with = [ZERO_SHOT]
    if evidence.best_run:
        compared_with = [evidence.best_run, ZERO_SHOT]
    pairs = []
    for against in compared_with:
        for model in models:
            if model not in compared_with:
                pairs.append((model, against))
    if evidence.best_run:
        pairs.append((evidence.best_run, ZERO_SHOT))
    return pairs


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: the reference and the last mean, the best models first.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per pair and data set: points of accuracy with their interval; p, also corrected
        for all tests of the table.
    """
    # The first is the reference, the last the mean of the shifts or the only shift.
    is_kept = table["dataset"].isin(
        [table["dataset"].iloc[0], table["dataset"].iloc[-1]]
    )
    kept = table[is_kept]
    against_order = list(kept["against"].unique())
    on_order = list(kept["dataset"].unique())
    # By the model compared with, then by data set, then the largest difference first.
    kept = kept.assign(
        first=kept["against"].map(against_order.index),
        second=kept["dataset"].map(on_order.index),
        third=-kept["difference"],
    )
    kept = kept.sort_values(["first", "second", "third"], kind="stable")
    return pd.DataFrame(
        {
            "model": kept["model"],
            "against": kept["against"],
            "dataset": kept["dataset"],
            "difference": points_column(kept, "difference"),
            "p": [f"{p:.2g}" for p in kept["p"]],
            "p corrected": [f"{p:.2g}" for p in kept["p_corrected"]],
        }
    )
