"""Why did my soup fail? What a set of ingredients tells about its mix, a sentence per finding."""

from itertools import combinations

import numpy as np
import pandas as pd
from pydantic import Field

from ..statistics.intervals import clopper_pearson
from ..statistics.paired import paired_mean
from ..tables.evidence import Evidence, Nothing
from . import Analysis
from ._options import MostPairs, SampledPairs
from .pairs import cosines, drawn


class Options(SampledPairs):
    soup: str = Field(
        "",
        description="the soup whose ingredients are looked at; empty: all end-to-end runs",
    )
    most: MostPairs = 200
    barrier: float = Field(
        1.0,
        ge=0,
        description="points of held-out accuracy that a mean of two may lie below their mean",
    )


ANALYSIS = Analysis(
    options=Options, needs=("geometry", "recipes"), evaluates=("held-out",)
)

FAR = 3.0  # an update this many times as long as the median is called long
OPPOSED = 0.0  # a cosine below this: two updates undo each other


def mixes(models: dict[str, str], context, options: dict):
    """The mean of every two models, and the mean of all."""
    from ..merging.recipe import single, uniform

    runs = {name: sha for name, sha in models.items() if name != "zero-shot"}
    if not runs:
        return
    for name, sha in runs.items():
        yield {"model": f"alone {name}", "one": name, "other": name}, single(sha)
    for one, other in drawn(runs, options):
        labels = {"model": f"mean of {one} and {other}", "one": one, "other": other}
        yield labels, uniform([runs[one], runs[other]])
    yield {"model": "mean of all", "one": "", "other": ""}, uniform(list(runs.values()))


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """Rows of what was measured, then of what it says.

    what: "norm" (of an update, over the median), "cosine" (between two), "barrier" (points of held-
    out accuracy that their mean lies below the mean of the two, with its paired interval),
    "alone" (held-out accuracy), "step" (of the greedy soup: held-out accuracy with the candidate),
    or "finding"; model, other: whom it is about; value, low, high, n; text: the sentence.
    """
    held_out, mixes = evidence.held_out, evidence.mixes
    names = _ingredients(evidence, options["soup"])
    if len(names) < 2 or mixes.empty:
        raise Nothing("a diagnosis needs two ingredients with a result")
    right = {
        (r.one, r.other): evidence.correct(r.model, held_out)
        for r in mixes.itertuples()
    }
    rows = _geometry(evidence.geometry, names)
    rows += [
        _accuracy("alone", name, right[name, name], evidence.confidence)
        for name in names
    ]
    for one, other in combinations(names, 2):
        if (one, other) not in right:
            continue
        terms = [
            (0.5, right[one, one]),
            (0.5, right[other, other]),
            (-1, right[one, other]),
        ]
        d = paired_mean([(c, [a]) for c, a in terms], evidence.confidence)
        rows.append(
            _row("barrier", one, 100 * d.value, other, 100 * d.low, 100 * d.high)
        )
    trace = _trace(evidence, names)
    evidence.note_plain(held_out)
    counted = not evidence.scored_otherwise(held_out)
    if trace and not counted:
        evidence.note("The greedy soup's steps are in the held-out set's own metric.")
    for step in trace:
        low = high = np.nan
        if counted:
            low, high = clopper_pearson(step["soup_k"], step["n"], evidence.confidence)
        text = "in" if step["accepted"] else "out"
        row = _row(
            "step",
            step["candidate"],
            step["soup_k"] / step["n"],
            "",
            low,
            high,
            step["n"],
        )
        rows.append(row | {"text": text})
    table = pd.DataFrame(rows)
    found = _findings(evidence, names, table, right, trace, options)
    return pd.concat([table, pd.DataFrame(found)], ignore_index=True)


def _row(
    what, model="", value=np.nan, other="", low=np.nan, high=np.nan, n=None, text=""
) -> dict:
    return {
        "what": what,
        "model": model,
        "other": other,
        "value": value,
        "low": low,
        "high": high,
        "n": n,
        "text": text,
    }


def _accuracy(what: str, name: str, correct: np.ndarray, confidence: float) -> dict:
    k, n = int(correct.sum()), len(correct)
    low, high = clopper_pearson(k, n, confidence)
    return _row(what, name, k / n, "", float(low), float(high), n)


def _ingredients(evidence: Evidence, soup: str) -> list[str]:
    if soup and soup not in evidence.models:
        raise Nothing(f"analyses.diagnosis.soup: there is no soup {soup!r}")
    named = evidence.models[soup]["ingredients"] if soup else evidence.tuned()
    measured = set(evidence.mixes["one"]) if len(evidence.mixes) else set()
    return [name for name in sorted(named) if name in measured]


def _geometry(geometry: pd.DataFrame, names: list[str]) -> list[dict]:
    products = {(r.model, r.other): r.product for r in geometry.itertuples()}
    norms = {name: np.sqrt(products[name, name]) for name in names}
    median = np.median(list(norms.values()))
    angles = cosines(geometry)
    rows = [
        _row("norm", n, norm / median if median else np.nan)
        for n, norm in norms.items()
    ]
    return rows + [
        _row("cosine", a, angles.get((a, b), np.nan), b)
        for a, b in combinations(names, 2)
    ]


def _trace(evidence: Evidence, names: list[str]) -> list[dict]:
    """Steps of the greedy soup that was made of just these."""
    for name in evidence.recipes:
        recipe = evidence.recipe(name)
        if recipe.get("method") == "greedy" and set(recipe["ingredient_names"]) == set(
            names
        ):
            return recipe["trace"]
    return []


def _findings(evidence, names, table, right, trace, options) -> list[dict]:
    found = []

    def say(text, about=""):
        found.append(_row("finding", about, text=text))

    starts = {
        evidence.models[name].get("settings", {}).get("start", "zero-shot")
        for name in names
    }
    if len(starts) > 1:
        say(
            f"The runs start from different models ({', '.join(sorted(starts))}): "
            "runs from one start mix best."
        )
    else:
        say(
            f"All {len(names)} runs start from the same model ({starts.pop()}), as they must."
        )
    norms = table[table["what"] == "norm"]
    far = norms[norms["value"] > FAR]
    for row in far.itertuples():
        say(
            f"{row.model} moved {row.value:.1f} times as far from the start as the median "
            "ingredient: its learning rate or its training is long, and it dominates a mean.",
            row.model,
        )
    if far.empty:
        spread = f"{norms['value'].min():.1f} to {norms['value'].max():.1f}"
        say(f"No update is unusually long ({spread} times the median).")
    cosine = table[table["what"] == "cosine"]
    if (cosine["value"] < OPPOSED).any():
        worst = cosine.loc[cosine["value"].idxmin()]
        say(
            f"The updates of {worst['model']} and {worst['other']} point away from each other "
            f"(cosine {worst['value']:.2f}): their mean undoes both."
        )
    elif cosine["value"].notna().any():
        say(
            f"No two updates oppose each other: cosines between {cosine['value'].min():.2f} "
            f"and {cosine['value'].max():.2f}. The closer to 0, the more a mean can gain; near 1 "
            "the models are nearly the same, and there is little to average."
        )
    barriers = table[table["what"] == "barrier"]
    high = barriers[barriers["value"] > options["barrier"]]
    say(*_about_barriers(barriers, high, options["barrier"]))
    alone = table[table["what"] == "alone"].set_index("model")["value"]
    best, worst = alone.idxmax(), alone.idxmin()
    if alone[best] - alone[worst] > 0.05:
        say(
            f"{worst} is {100 * (alone[best] - alone[worst]):.1f} points worse than {best} on "
            "held-out data: a uniform soup takes it, a greedy one may not.",
            worst,
        )
    d = paired_mean(
        [(1, [right["", ""]]), (-1, [right[best, best]])], evidence.confidence
    )
    interval = f"{100 * d.value:+.1f} points [{100 * d.low:+.1f}, {100 * d.high:+.1f}]"
    verdict = (
        "better than"
        if d.low > 0
        else "worse than"
        if d.high < 0
        else "not clearly different from"
    )
    say(
        f"The mean of all {len(names)} is {verdict} the best ingredient ({best}) on held-out data: "
        f"{interval}."
    )
    if trace:
        kept = [step["candidate"] for step in trace if step["accepted"]]
        alone_there = len(kept) == 1
        say(
            f"The greedy soup kept {len(kept)} of {len(trace)}: {', '.join(kept)}."
            + (" With one member it is that model." if alone_there else "")
        )
    return found


def _about_barriers(barriers, high, limit) -> tuple[str, str]:
    worst = barriers.loc[barriers["value"].idxmax()]
    pair = f"{worst['model']} and {worst['other']}"
    numbers = f"{worst['value']:.1f} points [{worst['low']:.1f}, {worst['high']:.1f}]"
    if high.empty:
        return (
            f"No pair has a barrier above {limit:g} points; the highest is {numbers}, {pair}.",
            "",
        )
    count = pd.concat([high["model"], high["other"]]).value_counts()
    culprit = count.index[0]
    text = (
        f"{len(high)} of {len(barriers)} pairs have a barrier above {limit:g} points; the highest "
        f"is {numbers}, {pair}."
    )
    if count.iloc[0] == len(high) > 1:
        text += f" All of them are with {culprit}: leave it out."
    return text, culprit if count.iloc[0] == len(high) > 1 else ""


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The sentences."""
    return table.loc[table["what"] == "finding", ["text"]].rename(
        columns={"text": "finding"}
    )
