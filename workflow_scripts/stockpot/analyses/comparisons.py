"""Which differences are significant: any two models, tested on the same examples."""

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics import comparisons
from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import BASELINE
from . import Analysis
from ._options import Pairs


class Options(PluginOptions):
    pairs: Pairs = Field(
        [],
        description="pairs of models, as [base, 'base alpha=0.5']; empty: all against zero-shot "
        "and best run",
    )


ANALYSIS = Analysis(options=Options)


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """See ``statistics.comparisons.comparisons``: on every test set and on the mean of shifts."""
    pairs = [tuple(pair) for pair in options["pairs"]] or _default(evidence)
    evidence.check([model for pair in pairs for model in pair])
    if not pairs:
        raise Nothing("a comparison needs two models")
    evidence.note_plain()
    found = comparisons.comparisons(
        pairs, evidence.sets, evidence.correct, evidence.confidence
    )
    return found.assign(confidence=evidence.confidence)


def _default(evidence: Evidence) -> list[tuple[str, str]]:
    table = evidence.measurements[evidence.measurements["kind"] != BASELINE]
    single = (table["curve"] == "") | np.isclose(table["alpha"], 0.5)
    models = [
        m for m in table.loc[single, "model"].drop_duplicates() if evidence.known(m)
    ]
    against = [m for m in (evidence.best_single, "zero-shot") if m]
    pairs = [(m, other) for other in against for m in models if m not in against]
    return pairs + ([tuple(against)] if len(against) == 2 else [])


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Points of accuracy with interval, the best first; p corrected for all tests of the table."""
    kept = table[table["on"].isin([table["on"].iloc[0], table["on"].iloc[-1]])]
    against, places = list(kept["against"].unique()), list(kept["on"].unique())
    kept = kept.assign(
        first=kept["against"].map(against.index),
        second=kept["on"].map(places.index),
        third=-kept["difference"],
    ).sort_values(["first", "second", "third"], kind="stable")
    return pd.DataFrame(
        {
            "model": kept["model"],
            "against": kept["against"],
            "on": kept["on"],
            "difference": [
                f"{100 * r.difference:+.1f} [{100 * r.low:+.1f}, {100 * r.high:+.1f}]"
                for r in kept.itertuples()
            ],
            "p": [f"{p:.2g}" for p in kept["p"]],
            "p corrected": [f"{p:.2g}" for p in kept["p_corrected"]],
        }
    )
