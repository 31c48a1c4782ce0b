"""What each method costs to make, and what it gains."""

from pathlib import Path
from typing import Any

import pandas as pd

from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError
from ..tables.measurements import SHIFT_MEAN
from . import Analysis

ANALYSIS = Analysis(needs=("recipes",))


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate time, memory and gain of every run, soup and ensemble.

    Times are of the jobs that made the files: a job that resumed, or found predictions in the
    store, took less.

    Args:
        evidence: The study.
        options: None.

    Returns:
        A row per model. job_seconds: of the job that made it. total_seconds: with the training
        of its ingredients and of the runs that they start from. memory_mib: of the job.
        training_images: that training looked at, with repetition, ingredients included; not known
        where one of them is a checkpoint.
        forward_passes: per image at inference. gain_over_best_run_reference,
        gain_over_best_run_shifts: over the best run on held-out data, as fractions.

    Raises:
        NothingToShowError: If there are no times.
    """
    times = {}
    # A model may have no benchmark: an older version made it, or its job failed.
    for name in evidence.models:
        benchmark = _read_benchmark(evidence.benchmark(name))
        if benchmark is not None:
            times[name] = benchmark
    rows = [
        _row(evidence, times, model)
        for model in evidence.models
        if model in times and evidence.has_results(model)
    ]
    if not rows:
        raise NothingToShowError(
            "there are no times: the jobs of this study were not run by this version"
        )
    evidence.note_own_metrics()
    table = pd.DataFrame(rows)
    # Whole numbers, of which some may be missing.
    table["training_images"] = table["training_images"].astype("Int64")
    return table


def _row(
    evidence: Evidence,
    times: dict[str, dict[str, float]],
    model: str,
) -> dict[str, Any]:
    """What is known of one model."""
    # Sorted, since a sum of floats depends on its order.
    ancestors = sorted(_ancestors(evidence.models, model))
    total_seconds = None
    if all(name in times for name in ancestors):
        training_seconds = sum(times[name]["s"] for name in ancestors)
        total_seconds = training_seconds + times[model]["s"]
    return {
        "model": model,
        "kind": evidence.models[model]["kind"],
        "job_seconds": times[model]["s"],
        "total_seconds": total_seconds,
        "memory_mib": times[model]["max_uss"],
        "training_images": _training_images(evidence.models, {model, *ancestors}),
        "forward_passes": _passes(evidence, model),
        "gain_over_best_run_reference": _gain(evidence, model, evidence.reference),
        "gain_over_best_run_shifts": _gain(evidence, model, SHIFT_MEAN),
    }


def _training_images(
    models: dict[str, dict[str, Any]],
    trained: set[str],
) -> int | None:
    """Images that the training of these models looked at; None where one of them is unknown."""
    # A run that several ingredients start from is in the set once, as it was trained once.
    images = [models[name]["images"] for name in trained]
    return None if None in images else sum(images)


def _gain(
    evidence: Evidence,
    model: str,
    dataset: str,
) -> float:
    """Accuracy above that of the best run; NaN without any run."""
    best = evidence.best_run
    if not best:
        return float("nan")
    return evidence.accuracy(model, dataset) - evidence.accuracy(best, dataset)


def _ancestors(
    models: dict[str, dict[str, Any]],
    model: str,
) -> set[str]:
    """Names of all that a model was made from, except the zero-shot model."""
    ancestors: set[str] = set()
    to_visit = [model]
    while to_visit:
        entry = models.get(to_visit.pop(), {})
        parents = list(entry.get("ingredients", []))
        start = entry.get("settings", {}).get("init_from")
        if start:
            parents.append(start)
        for name in parents:
            if name != ZERO_SHOT and name in models and name not in ancestors:
                ancestors.add(name)
                to_visit.append(name)
    return ancestors


def _passes(evidence: Evidence, model: str) -> int:
    """How many models answer one image."""
    # Only soups and ensembles have a recipe.
    if model not in evidence.recipes:
        return 1
    recipe = evidence.recipe(model)
    if recipe.get("rule", "linear") == "linear":
        # A soup is one model.
        return 1
    return len(recipe["ingredients"])


def _read_benchmark(path: Path) -> dict[str, float] | None:
    """Mean seconds (s) and memory (max_uss) of a job; None where it never wrote a file."""
    try:
        table = pd.read_csv(
            path,
            sep="\t",
            na_values=["-"],
        )
    except (OSError, ValueError):
        return None
    if table.empty:
        return None
    return table[["s", "max_uss"]].mean().to_dict()


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Write the numbers of the table as texts.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per model.
    """
    rows = []
    for row in table.itertuples():
        rows.append(
            {
                "model": row.model,
                "kind": row.kind,
                "own job, s": _number(row.job_seconds, ".1f"),
                "with ingredients, s": _number(row.total_seconds, ".1f"),
                "memory, MiB": _number(row.memory_mib, ".0f"),
                "images trained on": _number(row.training_images, ",.0f"),
                "passes": row.forward_passes,
                "reference, points": _number(
                    100 * row.gain_over_best_run_reference, "+.1f"
                ),
                "shifts, points": _number(100 * row.gain_over_best_run_shifts, "+.1f"),
            }
        )
    return pd.DataFrame(rows)


def _number(value: float | None, form: str) -> str:
    """A number as text; "" where it is not known."""
    if pd.isna(value):
        return ""
    return format(value, form)
