"""How much hangs on the hyperparameters: on the reference, and under shift.

WiSE-FT, figure 3: runs that differ little on the reference differ much under shift, and mixing
with the zero-shot model takes most of that away.
"""

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.stats import spearmanr

from ..runtime.options import PluginOptions
from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import MEAN
from . import Analysis
from ._options import Names


class Options(PluginOptions):
    models: Names = Field([], description="names of runs; empty: every end-to-end run")


ANALYSIS = Analysis(options=Options)

_NOT_VARIED = {"seed", "name"}


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per end-to-end run and hyperparameter that differs between the runs.

    value: of the hyperparameter; held_out, reference, shifts: accuracies; mixed_reference and
    mixed_shifts: of alpha 0.5 on the run's sweep, where there is one; rank_reference,
    rank_shifts: Spearman's correlation of the hyperparameter with both, over the runs.
    """
    runs = evidence.tuned(options["models"])
    settings = pd.DataFrame({run: evidence.models[run]["settings"] for run in runs}).T
    varied = [
        name
        for name in settings
        if name not in _NOT_VARIED
        and settings[name].map(lambda v: isinstance(v, (int, float)) and v == v).all()
        and settings[name].nunique() > 1
    ]
    if len(runs) < 3 or not varied:
        raise Nothing(
            "this needs three end-to-end runs that differ in a hyperparameter"
        )
    evidence.note_own()
    halves, rows = _halves(evidence), []
    reference = [evidence.accuracy(run, evidence.reference) for run in runs]
    shifts = [evidence.accuracy(run, MEAN) for run in runs]
    for name in varied:
        values = settings.loc[runs, name].astype(float)
        ranks = [_rank(values, y) for y in (reference, shifts)]
        for run, value, x, y in zip(runs, values, reference, shifts):
            mixed = [
                evidence.accuracy(halves[run], place) if run in halves else np.nan
                for place in (evidence.reference, MEAN)
            ]
            rows.append(
                {
                    "run": run,
                    "hyperparameter": name,
                    "value": value,
                    "held_out": evidence.accuracy(run, evidence.held_out),
                    "reference": x,
                    "shifts": y,
                    "mixed_reference": mixed[0],
                    "mixed_shifts": mixed[1],
                    "rank_reference": ranks[0],
                    "rank_shifts": ranks[1],
                }
            )
    return pd.DataFrame(rows)


def _rank(values: pd.Series, accuracies: list[float]) -> float:
    """Spearman's rank correlation; NaN where all accuracies are the same."""
    if len(set(accuracies)) < 2:
        return float("nan")
    return float(spearmanr(values, accuracies).statistic)


def _halves(evidence: Evidence) -> dict[str, str]:
    """Sweep -> its point at alpha 0.5."""
    return {
        curve: points.loc[np.isclose(points["alpha"], 0.5), "model"].iloc[0]
        for curve, points in evidence.curves().items()
        if np.isclose(points["alpha"], 0.5).any()
    }


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Spread over the runs, and which hyperparameter goes with what."""
    runs = table.drop_duplicates("run")
    named = f"range over {len(runs)} runs, points"
    rows = [{"what": named, **_ranges(runs, "reference", "shifts")}]
    swept = runs[runs["mixed_shifts"].notna()]
    if len(swept) > 1:
        named = f"range over the {len(swept)} that are swept, points"
        rows.append({"what": named, **_ranges(swept, "reference", "shifts")})
        mixed = _ranges(swept, "mixed_reference", "mixed_shifts")
        rows.append(
            {"what": "range of the mixes of these at alpha 0.5, points", **mixed}
        )
    for name, group in table.groupby("hyperparameter", sort=False):
        ranks = group[["rank_reference", "rank_shifts"]].iloc[0]
        named = {
            "reference": f"{ranks.iloc[0]:+.2f}",
            "mean of shifts": f"{ranks.iloc[1]:+.2f}",
        }
        rows.append(
            {"what": f"rank correlation with {name.replace('_', ' ')}", **named}
        )
    return pd.DataFrame(rows)


def _ranges(runs: pd.DataFrame, *columns: str) -> dict[str, str]:
    found = [f"{100 * (runs[c].max() - runs[c].min()):.1f}" for c in columns]
    return dict(zip(("reference", "mean of shifts"), found))
