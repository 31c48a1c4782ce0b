"""Which ingredients to take into a soup of towers from several tasks (Model soups)."""

from typing import Any

import pandas as pd

from ..statistics.paired import paired_mean
from ..tables.display import percents, points_column
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError
from . import Analysis

ANALYSIS = Analysis()


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate what soups of towers gain over the zero-shot model on the reference.

    Args:
        evidence: The study.
        options: None.

    Returns:
        A row per soup. ingredients: their names, joined by " + "; ingredient_count: their
        number; tasks: theirs. includes_own_task: is one of them trained on the study's own
        training set? gain_over_zero_shot, low, high: paired.

    Raises:
        NothingToShowError: If there are no soups of towers.
    """
    soups = [
        name
        for name, model in evidence.models.items()
        if model["settings"].get("towers_only") and evidence.has_results(name)
    ]
    if not soups:
        raise NothingToShowError(
            "this needs soups with towers_only: true (configs/cross.yaml)"
        )
    evidence.note_plain_accuracy(evidence.reference)
    zero_shot_correct = evidence.correct(ZERO_SHOT, evidence.reference)
    rows = []
    for soup in soups:
        correct = evidence.correct(soup, evidence.reference)
        terms = [(1, [correct]), (-1, [zero_shot_correct])]
        gain = paired_mean(terms, evidence.confidence)
        rows.append(
            {
                "soup": soup,
                **_ingredients(evidence, soup),
                "accuracy": correct.mean(),
                "gain_over_zero_shot": gain.value,
                "low": gain.low,
                "high": gain.high,
                "n": len(correct),
            }
        )
    return pd.DataFrame(rows).sort_values(
        ["includes_own_task", "ingredient_count", "ingredients"], ignore_index=True
    )


def _ingredients(evidence: Evidence, soup: str) -> dict[str, Any]:
    """What a soup was made of."""
    ingredients = evidence.models[soup]["ingredients"]
    # The zero-shot model is an ingredient of every such soup and is not listed.
    names = [name for name in ingredients if name != ZERO_SHOT]
    tasks = []
    on_own_task = []
    for name in names:
        model = evidence.models[name]
        task = model["settings"].get("task", "")
        tasks.append(task or "own")
        # Where the plan does not say it, a run without a task is on the own one.
        on_own_task.append(model.get("on_own_task", not task))
    return {
        "ingredients": " + ".join(names),
        "ingredient_count": len(names),
        "tasks": " + ".join(tasks),
        "includes_own_task": any(on_own_task),
    }


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Write the numbers of the table in percent and points.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per soup.
    """
    return pd.DataFrame(
        {
            "ingredients": table["ingredients"],
            "own task among them": [
                "yes" if seen else "no" for seen in table["includes_own_task"]
            ],
            "accuracy": percents(table["accuracy"]),
            "over zero-shot": points_column(table, "gain_over_zero_shot"),
        }
    )
