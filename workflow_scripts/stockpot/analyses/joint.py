"""Training on two data sets at once, against mixing weights, which needs no second data set.

A reviewer's question that both papers leave open. The run with ``joint`` has seen images of one
shift; every sweep has seen none.
"""

import pandas as pd
from pydantic import Field

from ..runtime.options import PluginOptions
from ..statistics.paired import paired_mean
from ..tables.evidence import Evidence, Nothing
from . import Analysis


class Options(PluginOptions):
    curves: list[str] = Field(
        [], description="sweeps of runs; empty: all that took every training image"
    )


ANALYSIS = Analysis(options=Options)


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per joint run, sweep of a single run, alpha and place.

    difference, low, high: of the mix minus the joint run, paired; accuracy and joint_accuracy.
    """
    joint = [
        m
        for m in evidence.models
        if _settings(evidence, m).get("joint") and evidence.known(m)
    ]
    curves = {
        curve: points
        for curve, points in evidence.curves().items()
        if curve in (options["curves"] or [curve])
        and _settings(evidence, curve)
        and not evidence.models[curve].get("ingredients")
        and not _settings(evidence, curve).get("shots")
        and not evidence.saw_shift(curve)
    }
    if not joint or not curves:
        raise Nothing(
            "this needs a run with the option joint, and a sweep to compare it with"
        )
    evidence.note_plain()
    places, rows = evidence.sets, []
    for run in joint:
        for curve, points in curves.items():
            for alpha, mix in zip(points["alpha"], points["model"]):
                for place, sets in places.items():
                    right = [[evidence.correct(m, d) for d in sets] for m in (mix, run)]
                    d = paired_mean(
                        [(1, right[0]), (-1, right[1])], evidence.confidence
                    )
                    accuracy = [
                        sum(a.mean() for a in arrays) / len(sets) for arrays in right
                    ]
                    rows.append(
                        {
                            "joint_run": run,
                            "joint_with": _settings(evidence, run)["joint"],
                            "curve": curve,
                            "alpha": alpha,
                            "on": place,
                            "accuracy": accuracy[0],
                            "joint_accuracy": accuracy[1],
                            "difference": d.value,
                            "low": d.low,
                            "high": d.high,
                            "n": sum(map(len, right[0])),
                        }
                    )
    return pd.DataFrame(rows)


def _settings(evidence: Evidence, model: str) -> dict:
    return evidence.models.get(model, {}).get("settings", {})


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """At alpha 0.5, or the nearest."""
    alphas = sorted(table["alpha"].unique(), key=lambda a: abs(a - 0.5))
    half = table[table["alpha"] == alphas[0]]
    return pd.DataFrame(
        {
            "joint run": half["joint_run"],
            "sweep": [f"{r.curve}, alpha {r.alpha:g}" for r in half.itertuples()],
            "on": half["on"],
            "mix": [f"{100 * a:.1f}" for a in half["accuracy"]],
            "joint": [f"{100 * a:.1f}" for a in half["joint_accuracy"]],
            "mix minus joint": [
                f"{100 * r.difference:+.1f} [{100 * r.low:+.1f}, {100 * r.high:+.1f}]"
                for r in half.itertuples()
            ],
        }
    )
