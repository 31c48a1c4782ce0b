"""How much the choice of hyperparameters matters: on the reference, and under shift.

WiSE-FT, figure 3: runs that differ little on the reference differ much under shift, and mixing
with the zero-shot model takes most of that away.
"""

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field
from scipy.stats import spearmanr

from ..runtime.options import PluginOptions
from ..tables.display import percent
from ..tables.evidence import Evidence, NothingToShowError
from ..tables.measurements import SHIFT_MEAN
from . import Analysis
from ._options import Names


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        models: Names of runs.
    """

    models: Names = Field([], description="names of runs; empty: every end-to-end run")


ANALYSIS = Analysis(options=Options)

# Settings of a run that are no hyperparameters.
_NOT_VARIED = {"seed", "name"}
# Fewer runs than this have no rank correlation that says something.
_FEWEST_RUNS = 3


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate the accuracies of end-to-end runs by the hyperparameters in which they differ.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per run and hyperparameter. value: of the hyperparameter. held_out, reference,
        shifts: accuracies of the run. alpha_half_reference, alpha_half_shifts: those of alpha
        0.5 on its sweep, where there is one. rank_correlation_reference,
        rank_correlation_shifts: Spearman's correlation of the hyperparameter with both
        accuracies, over the runs.

    Raises:
        NothingToShowError: If there are not three runs that differ in a hyperparameter.
    """
    runs = evidence.end_to_end_runs(options["models"])
    # A row per run, a column per hyperparameter.
    settings_of_run = {run: evidence.models[run]["settings"] for run in runs}
    settings = pd.DataFrame(settings_of_run).T
    varied = [name for name in settings if _is_varied(name, settings[name])]
    if len(runs) < _FEWEST_RUNS or not varied:
        raise NothingToShowError(
            "this needs three end-to-end runs that differ in a hyperparameter"
        )
    evidence.note_own_metrics()
    accuracies = _accuracies(evidence, runs)
    rows = []
    for name in varied:
        values = settings.loc[runs, name].astype(float)
        rank_reference = _rank_correlation(values, accuracies["reference"])
        rank_shifts = _rank_correlation(values, accuracies["shifts"])
        for run, value in zip(runs, values):
            row = {
                "run": run,
                "hyperparameter": name,
                "value": value,
            }
            row |= accuracies.loc[run].to_dict()
            row["rank_correlation_reference"] = rank_reference
            row["rank_correlation_shifts"] = rank_shifts
            rows.append(row)
    return pd.DataFrame(rows)


def _is_varied(name: str, values: pd.Series) -> bool:
    """Is this a hyperparameter that is a number in every run and not the same in all?"""
    if name in _NOT_VARIED:
        return False
    is_number = values.map(_is_number)
    if not is_number.all():
        return False
    return values.nunique() > 1


def _is_number(value: object) -> bool:
    # NaN, which differs from itself, stands where a run has no such hyperparameter.
    return isinstance(value, (int, float)) and value == value


def _accuracies(evidence: Evidence, runs: list[str]) -> pd.DataFrame:
    """Accuracies of the runs, and of alpha 0.5 on the sweeps to them: a row per run."""
    # A run without a sweep has no mix: NaN.
    half_way = _half_way_models(evidence)
    rows = []
    for run in runs:
        row = {
            "held_out": evidence.accuracy(run, evidence.held_out),
            "reference": evidence.accuracy(run, evidence.reference),
            "shifts": evidence.accuracy(run, SHIFT_MEAN),
            "alpha_half_reference": np.nan,
            "alpha_half_shifts": np.nan,
        }
        if run in half_way:
            mix = half_way[run]
            row["alpha_half_reference"] = evidence.accuracy(mix, evidence.reference)
            row["alpha_half_shifts"] = evidence.accuracy(mix, SHIFT_MEAN)
        rows.append(row)
    return pd.DataFrame(rows, index=runs)


def _rank_correlation(
    values: pd.Series,
    accuracies: pd.Series,
) -> float:
    """Spearman's rank correlation; NaN where all accuracies are the same."""
    if accuracies.nunique() < 2:
        return float("nan")
    correlation = spearmanr(values, accuracies)
    return float(correlation.statistic)


def _half_way_models(evidence: Evidence) -> dict[str, str]:
    """Target of a sweep -> the sweep's point at alpha 0.5."""
    models = {}
    for target, points in evidence.sweeps().items():
        is_half = np.isclose(points["alpha"], 0.5)
        half_way = points.loc[is_half, "model"]
        if len(half_way):
            models[target] = half_way.iloc[0]
    return models


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: the range over the runs, and the rank correlations.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per range and per hyperparameter.
    """
    runs = table.drop_duplicates("run")
    title = f"range over {len(runs)} runs, points"
    ranges = _ranges(runs, "reference", "shifts")
    rows = [{"statistic": title, **ranges}]
    # The mixes compare with the runs that are swept, not with all.
    swept = runs[runs["alpha_half_shifts"].notna()]
    if len(swept) > 1:
        title = f"range over the {len(swept)} that are swept, points"
        ranges = _ranges(swept, "reference", "shifts")
        rows.append({"statistic": title, **ranges})
        title = "range of the mixes of these at alpha 0.5, points"
        ranges = _ranges(swept, "alpha_half_reference", "alpha_half_shifts")
        rows.append({"statistic": title, **ranges})
    for name, group in table.groupby("hyperparameter", sort=False):
        hyperparameter = name.replace("_", " ")
        ranks = group.iloc[0]
        row = {
            "statistic": f"rank correlation with {hyperparameter}",
            "reference": f"{ranks['rank_correlation_reference']:+.2f}",
            "mean of shifts": f"{ranks['rank_correlation_shifts']:+.2f}",
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _ranges(
    runs: pd.DataFrame,
    reference: str,
    shifts: str,
) -> dict[str, str]:
    """Largest minus smallest value of two columns, in points."""
    on_reference = runs[reference]
    on_shifts = runs[shifts]
    reference_range = on_reference.max() - on_reference.min()
    shifts_range = on_shifts.max() - on_shifts.min()
    return {
        "reference": percent(reference_range),
        "mean of shifts": percent(shifts_range),
    }
