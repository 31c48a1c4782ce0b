"""Few examples per class: what mixing gains, and at which alpha (WiSE-FT, figures 17 to 19)."""

import numpy as np
import pandas as pd
from pydantic import Field

from ..alpha import selectors
from ..runtime.options import PluginOptions, one_of
from ..statistics.paired import paired_mean
from ..tables.evidence import Evidence, Nothing
from . import Analysis

Selector = one_of(selectors.without_shifts())


class Options(PluginOptions):
    selectors: list[Selector] = Field(
        ["half", "held-out", selectors.DEFAULT],
        description="ways to choose alpha that need nothing, or the held-out set alone",
    )


ANALYSIS = Analysis(options=Options)


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per run, selector and place (reference, mean of shifts).

    shots: per class, all where the run takes every image. accuracy of the mix, of the zero-shot
    and of the fine-tuned model (tuned); gain over each, and over the better of the two, which the
    test set tells (oracle), each with its paired interval.
    """
    curves, rows = evidence.curves(), []
    few = [
        m for m in curves if evidence.models.get(m, {}).get("settings", {}).get("shots")
    ]
    if not few:
        raise Nothing("this needs sweeps of runs with the option shots")
    evidence.note_plain()
    variants = {evidence.models[m]["kind"] for m in few}
    whole = [
        m
        for m in curves
        if m not in few
        and evidence.models[m]["kind"] in variants
        and not evidence.models[m].get("ingredients")
        and not evidence.saw_shift(m)
    ]
    for run in [*few, *whole[:1]]:
        points = curves[run]
        table = evidence.held_out_curve(points)
        for selector in options["selectors"]:
            alpha = selectors.choose(selector, table)
            mix = points.loc[points["alpha"] == alpha, "model"].iloc[0]
            for place, sets in evidence.places.items():
                right = {
                    m: [evidence.correct(m, d) for d in sets]
                    for m in (mix, "zero-shot", run)
                }
                mean = {
                    m: np.mean([a.mean() for a in arrays])
                    for m, arrays in right.items()
                }
                row = {
                    "run": run,
                    "kind": evidence.models[run]["kind"],
                    "shots": evidence.models[run]["settings"].get("shots") or None,
                    "selector": selector,
                    "alpha": alpha,
                    "on": place,
                    "accuracy": mean[mix],
                    "zero_shot": mean["zero-shot"],
                    "tuned": mean[run],
                    "n": sum(map(len, right[mix])),
                }
                better = max(("zero-shot", run), key=mean.get)
                for what, other in (
                    ("zero_shot", "zero-shot"),
                    ("tuned", run),
                    ("both", better),
                ):
                    gain = paired_mean(
                        [(1, right[mix]), (-1, right[other])], evidence.confidence
                    )
                    row |= {
                        f"over_{what}": gain.value,
                        f"over_{what}_low": gain.low,
                        f"over_{what}_high": gain.high,
                    }
                rows.append(row)
    table = pd.DataFrame(rows).astype({"shots": "Int64"})
    return table.sort_values(["kind", "shots", "run"], kind="stable", ignore_index=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """In percent and points."""

    def gains(what):
        numbers = zip(table[what], table[f"{what}_low"], table[f"{what}_high"])
        return [
            f"{100 * a:+.1f} [{100 * b:+.1f}, {100 * c:+.1f}]" for a, b, c in numbers
        ]

    return pd.DataFrame(
        {
            "run": table["run"],
            "shots": ["all" if pd.isna(s) else str(s) for s in table["shots"]],
            "selector": table["selector"],
            "alpha": [f"{a:g}" for a in table["alpha"]],
            "on": table["on"],
            "accuracy": [f"{100 * a:.1f}" for a in table["accuracy"]],
            "over zero-shot": gains("over_zero_shot"),
            "over fine-tuned": gains("over_tuned"),
            "over the better (oracle)": gains("over_both"),
        }
    )
