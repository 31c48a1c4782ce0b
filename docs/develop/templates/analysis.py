"""Template of an analysis: copy to stockpot/analyses/<name>.py, and change it.

This one lists the accuracy of every model on every test set.
"""

from typing import Any

import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..tables.evidence import Evidence, NothingToShowError
from . import Analysis


class Options(PluginOptions):
    """Config keys of the analysis; each has a default."""

    models: list[str] = Field([], description="names of models; empty: all")


ANALYSIS = Analysis(options=Options)


def tabulate(evidence: Evidence, options: dict[str, Any]) -> pd.DataFrame:
    """Compute the table from stored predictions; no model runs.

    Args:
        evidence: The study: its models, data sets and predictions.
        options: The options of the entry.

    Returns:
        A row per model and test set. Accuracies are fractions.

    Raises:
        NothingToShowError: If the study has none of the models; the page then says why.
    """
    names = options["models"] or list(evidence.models)
    rows = []
    for model in names:
        if not evidence.has_results(model):
            continue
        for dataset in evidence.test_sets:
            accuracy = evidence.accuracy(model, dataset)
            rows.append({"model": model, "dataset": dataset, "accuracy": accuracy})
    if not rows:
        raise NothingToShowError("this study has none of the models")
    return pd.DataFrame(rows)
