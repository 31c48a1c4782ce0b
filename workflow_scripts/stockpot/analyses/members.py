"""Which members to take into a soup of backbones from several tasks (Model soups)."""

import pandas as pd

from ..statistics.paired import paired_mean
from ..tables.evidence import Evidence, Nothing
from . import Analysis

ANALYSIS = Analysis()


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per soup of backbones: what it gains over the zero-shot model on the reference.

    members: names, joined by " + "; k: their number; tasks: theirs; seen: is one of them trained
    on the study's own training set? gain, low, high: paired.
    """
    soups = [
        name
        for name, model in evidence.models.items()
        if model["settings"].get("backbones") and evidence.known(name)
    ]
    if not soups:
        raise Nothing("this needs soups with backbones: true (configs/cross.yaml)")
    evidence.note_plain(evidence.reference)
    start = evidence.correct("zero-shot", evidence.reference)
    rows = []
    for soup in soups:
        names = [m for m in evidence.models[soup]["ingredients"] if m != "zero-shot"]
        tasks = [evidence.models[m]["settings"].get("task", "") for m in names]
        own = [evidence.models[m].get("own", not task) for m, task in zip(names, tasks)]
        right = evidence.correct(soup, evidence.reference)
        gain = paired_mean([(1, [right]), (-1, [start])], evidence.confidence)
        rows.append(
            {
                "soup": soup,
                "members": " + ".join(names),
                "k": len(names),
                "tasks": " + ".join(task or "own" for task in tasks),
                "seen": any(own),
                "accuracy": right.mean(),
                "gain": gain.value,
                "low": gain.low,
                "high": gain.high,
                "n": len(right),
            }
        )
    return pd.DataFrame(rows).sort_values(["seen", "k", "members"], ignore_index=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "members": table["members"],
            "own task among them": ["yes" if seen else "no" for seen in table["seen"]],
            "accuracy": [f"{100 * a:.1f}" for a in table["accuracy"]],
            "over zero-shot": [
                f"{100 * r.gain:+.1f} [{100 * r.low:+.1f}, {100 * r.high:+.1f}]"
                for r in table.itertuples()
            ],
        }
    )
