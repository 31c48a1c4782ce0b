"""Few examples per class: what mixing gains, and at which alpha (WiSE-FT, figures 17 to 19)."""

from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..alpha import selectors
from ..runtime.options import PluginOptions, one_of
from ..statistics.paired import paired_mean
from ..tables.display import percents, points_column
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError, model_at
from . import Analysis

Selector = Annotated[str, one_of(selectors.without_shifts())]


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        selectors: Names of selectors.
    """

    selectors: list[Selector] = Field(
        ["half", "held-out", selectors.DEFAULT],
        description="selectors that need nothing or only the held-out set",
    )


ANALYSIS = Analysis(options=Options)


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate what a mix gains over its end models, at the alpha of each selector.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per run, selector and data set (reference, or mean of shifts). shots: per
        class, missing where the run takes every image. accuracy, zero_shot, target: of the mix,
        the zero-shot model and the run. gain_over_zero_shot, gain_over_target,
        gain_over_better_end: the gain over each, and over the better of the two, which the test
        set tells (oracle), each with its paired interval.

    Raises:
        NothingToShowError: If there is no sweep to a run on few examples.
    """
    sweeps = evidence.sweeps()
    # The option shots says how many images of a class a run takes.
    few_shot = [run for run in sweeps if evidence.settings(run).get("shots")]
    if not few_shot:
        raise NothingToShowError("this needs sweeps of runs with the option shots")
    evidence.note_plain_accuracy()
    # For comparison, the first run of the same kind on every image.
    full = _runs_on_every_image(evidence, list(sweeps), few_shot)
    rows = []
    for run in [*few_shot, *full[:1]]:
        points = sweeps[run]
        # Selectors see the held-out set only.
        held_out = evidence.held_out_sweep(points)
        for selector in options["selectors"]:
            alpha = selectors.choose(selector, held_out)
            mix = model_at(points, alpha)
            rows += [
                {
                    "run": run,
                    "kind": evidence.models[run]["kind"],
                    "shots": evidence.settings(run).get("shots") or None,
                    "selector": selector,
                    "alpha": alpha,
                    "dataset": set_name,
                    **_gains(evidence, mix, run, datasets),
                }
                for set_name, datasets in evidence.reference_and_shifts.items()
            ]
    table = pd.DataFrame(rows).astype({"shots": "Int64"})
    return table.sort_values(
        ["kind", "shots", "run"],
        kind="stable",
        ignore_index=True,
    )


def _runs_on_every_image(
    evidence: Evidence,
    targets: list[str],
    few_shot: list[str],
) -> list[str]:
    """The runs of the same kinds that took every image of the training set and no other."""
    # A linear classifier on few examples compares with a linear one on all.
    kinds = {evidence.models[run]["kind"] for run in few_shot}
    runs = []
    for target in targets:
        if target in few_shot:
            continue
        model = evidence.models[target]
        is_run = model["kind"] in kinds and not model.get("ingredients")
        if is_run and not evidence.trained_on_shift(target):
            runs.append(target)
    return runs


def _gains(
    evidence: Evidence,
    mix: str,
    run: str,
    datasets: list[str],
) -> dict[str, float]:
    """Accuracy of a mix and of its end models, and the gains over them."""
    correct = {
        model: evidence.correct_on(model, datasets) for model in (mix, ZERO_SHOT, run)
    }
    accuracy = {model: _mean_accuracy(arrays) for model, arrays in correct.items()}
    # Which of the two is better is seen on the test set: an oracle.
    better = max((ZERO_SHOT, run), key=accuracy.get)
    row = {
        "accuracy": accuracy[mix],
        "zero_shot": accuracy[ZERO_SHOT],
        "target": accuracy[run],
        "n": sum(map(len, correct[mix])),
    }
    compared_with = {
        "gain_over_zero_shot": ZERO_SHOT,
        "gain_over_target": run,
        "gain_over_better_end": better,
    }
    for column, other in compared_with.items():
        terms = [(1, correct[mix]), (-1, correct[other])]
        gain = paired_mean(terms, evidence.confidence)
        row[column] = gain.value
        row[f"{column}_low"] = gain.low
        row[f"{column}_high"] = gain.high
    return row


def _mean_accuracy(arrays: list[np.ndarray]) -> float:
    """The unweighted mean over data sets of the fraction of right answers."""
    return np.mean([correct.mean() for correct in arrays])


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Write the numbers of the table in percent and points.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per run, selector and data set.
    """
    return pd.DataFrame(
        {
            "run": table["run"],
            "shots": [
                "all" if pd.isna(shots) else str(shots) for shots in table["shots"]
            ],
            "selector": table["selector"],
            "alpha": [f"{alpha:g}" for alpha in table["alpha"]],
            "dataset": table["dataset"],
            "accuracy": percents(table["accuracy"]),
            "over zero-shot": _gains_column(table, "gain_over_zero_shot"),
            "over fine-tuned": _gains_column(table, "gain_over_target"),
            "over the better (oracle)": _gains_column(table, "gain_over_better_end"),
        }
    )


def _gains_column(table: pd.DataFrame, column: str) -> list[str]:
    return points_column(
        table,
        column,
        f"{column}_low",
        f"{column}_high",
    )
