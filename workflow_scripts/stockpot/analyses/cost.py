"""What each method costs to make, and what it gains."""

import pandas as pd

from ..tables.evidence import Evidence, Nothing
from ..tables.measurements import MEAN
from . import Analysis

ANALYSIS = Analysis(needs=("recipes",))


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per run, soup and ensemble.

    seconds: of the job that made it; all_seconds: with the training of its ingredients and of the
    runs that they start from; memory: of the job, MiB; images: that training looked at, with
    repetition, ingredients included; forward: passes per image at inference. gain_reference and
    gain_shifts: over the best single run on held-out data, as fractions. Times are of the run that
    made the files: a job that resumed, or found predictions in the store, took less.
    """
    times = {name: _read(evidence.benchmark(name)) for name in evidence.models}
    times = {name: found for name, found in times.items() if found is not None}
    best, rows = evidence.best_single, []
    for model, entry in evidence.models.items():
        if model not in times or not evidence.known(model):
            continue
        made_of = sorted(
            _made_of(evidence.models, model)
        )  # sums are rounded in one order
        missing = [m for m in made_of if m not in times]
        whole = sum(times[m]["s"] for m in made_of if m in times) + times[model]["s"]
        gains = [
            evidence.accuracy(model, place) - evidence.accuracy(best, place)
            if best
            else float("nan")
            for place in (evidence.reference, MEAN)
        ]
        rows.append(
            {
                "model": model,
                "kind": entry["kind"],
                "seconds": times[model]["s"],
                "all_seconds": None if missing else whole,
                "memory": times[model]["max_uss"],
                "images": sum(evidence.models[m]["images"] for m in {model, *made_of}),
                "forward": _passes(evidence, model),
                "gain_reference": gains[0],
                "gain_shifts": gains[1],
            }
        )
    if not rows:
        raise Nothing(
            "there are no times: the jobs of this study were not run by this version"
        )
    evidence.note_own()
    return pd.DataFrame(rows)


def _made_of(models: dict[str, dict], model: str) -> set[str]:
    """Names of all that a model follows from, but the zero-shot model."""
    found, wanted = set(), [model]
    while wanted:
        entry = models.get(wanted.pop(), {})
        start = entry.get("settings", {}).get("start")
        for name in [*entry.get("ingredients", []), *([start] if start else [])]:
            if name != "zero-shot" and name in models and name not in found:
                found.add(name)
                wanted.append(name)
    return found


def _passes(evidence: Evidence, model: str) -> int:
    """How many models answer one image."""
    recipe = evidence.recipe(model) if model in evidence.recipes else {}
    return len(recipe["ingredients"]) if recipe.get("rule", "linear") != "linear" else 1


def _read(path) -> dict | None:
    """Mean seconds and memory of a benchmark file; None where the job never wrote one."""
    try:
        table = pd.read_csv(path, sep="\t", na_values=["-"])
    except (OSError, ValueError):
        return None
    return table[["s", "max_uss"]].mean().to_dict() if len(table) else None


def shown(table: pd.DataFrame) -> pd.DataFrame:
    def number(value, form):
        return "" if pd.isna(value) else format(value, form)

    rows = [
        {
            "model": r.model,
            "kind": r.kind,
            "own job, s": number(r.seconds, ".1f"),
            "with ingredients, s": number(r.all_seconds, ".1f"),
            "memory, MiB": number(r.memory, ".0f"),
            "images trained on": f"{r.images:,}",
            "passes": r.forward,
            "reference, points": number(100 * r.gain_reference, "+.1f"),
            "shifts, points": number(100 * r.gain_shifts, "+.1f"),
        }
        for r in table.itertuples()
    ]
    return pd.DataFrame(rows)
