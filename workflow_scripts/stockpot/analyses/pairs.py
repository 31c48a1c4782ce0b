"""Soups and ensembles of two: when is the mean of weights as good as the mean of outputs?

Model soups, section 4: the angle between two updates against what their mean gains (figure 3),
soup against ensemble (figure 4), and the formula that ties their losses together.
"""

import random
from itertools import combinations

import numpy as np
import pandas as pd
from pydantic import Field

from ..statistics import calibration
from ..statistics.approximation import soup_minus_ensemble
from ..tables.evidence import Evidence, Nothing
from . import Analysis
from ._options import MostPairs, Names, SampledPairs


class Options(SampledPairs):
    models: Names = Field([], description="names of runs; empty: every end-to-end run")
    most: MostPairs = 15
    step: float = Field(
        0.1,
        ge=0.001,
        le=0.5,
        description="step of alpha, for the second derivative of the loss",
    )


ANALYSIS = Analysis(
    options=Options,
    needs=("geometry", "logits"),
    evaluates=("held-out", "reference", "shift"),
)


def mixes(models: dict[str, str], context, options: dict):
    """Of every pair the mean, and the points a step to each side."""
    from ..merging.recipe import interpolate, single

    runs = {name: sha for name, sha in models.items() if name != "zero-shot"}
    for one, other in drawn(runs, options):
        for alpha in _alphas(options["step"]):
            recipe = interpolate(single(runs[one]), single(runs[other]), alpha)
            yield {"model": name(one, other, alpha), "one": one, "other": other}, recipe


def drawn(names, options: dict) -> list[tuple[str, str]]:
    pairs = list(combinations(sorted(names), 2))
    if len(pairs) > options["most"]:
        pairs = sorted(
            random.Random(f"pairs {options['seed']}").sample(pairs, options["most"])
        )
    return pairs


def name(one: str, other: str, alpha: float) -> str:
    return f"{one} to {other} at {alpha:g}"


def _alphas(step: float) -> list[float]:
    return [round(0.5 - step, 9), 0.5, round(0.5 + step, 9)]


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per pair and data set.

    angle: between the updates, degrees. soup, ensemble: of the means, by the data set's own metric;
    advantage: of the soup over the mean of its two. soup_loss, ensemble_loss, true, approximation,
    curvature, variance: see ``approximation.soup_minus_ensemble``; beta calibrates the soup on the
    held-out set, as in the paper.
    """
    if evidence.mixes.empty:
        raise Nothing("a pair needs two end-to-end runs")
    tests = evidence.by_image()
    if len(tests) == 1:
        raise Nothing(
            "every shift is scored by videos, of which models keep different frames"
        )
    evidence.note_own()
    angles, rows = cosines(evidence.geometry), []
    for one, other in (
        evidence.mixes[["one", "other"]].drop_duplicates().itertuples(index=False)
    ):
        along = [name(one, other, alpha) for alpha in _alphas(options["step"])]
        held_out = evidence.answers(along[1], evidence.held_out).logits
        beta = 1 / calibration.temperature(held_out, evidence.labels(evidence.held_out))
        angle = np.degrees(np.arccos(np.clip(angles.get((one, other), np.nan), -1, 1)))
        for dataset in tests:
            labels = evidence.labels(dataset)
            ends = [evidence.answers(m, dataset) for m in (one, other)]
            logits = [a.logits for a in ends]
            mean = (logits[0].astype(float) + logits[1]) / 2
            soup, first, second = (
                evidence.score(dataset, a.predicted).value
                for a in (evidence.answers(along[1], dataset), *ends)
            )
            losses = soup_minus_ensemble(
                *logits,
                [evidence.answers(m, dataset).logits for m in along],
                labels,
                step=options["step"],
                beta=beta,
            )
            rows.append(
                {
                    "one": one,
                    "other": other,
                    "dataset": dataset,
                    "angle": angle,
                    "soup": soup,
                    "ensemble": evidence.score(dataset, mean.argmax(1)).value,
                    "advantage": soup - np.mean([first, second]),
                    "beta": beta,
                    "soup_loss": losses["soup"],
                    "ensemble_loss": losses["ensemble"],
                    "true": losses["true"],
                    "approximation": losses["approximation"],
                    "curvature": losses["curvature"],
                    "variance": losses["variance"],
                    "n": len(labels),
                }
            )
    return pd.DataFrame(rows)


def cosines(geometry: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Cosine between the updates of every two models; missing where one did not move."""
    products = {(r.model, r.other): r.product for r in geometry.itertuples()}
    return {
        (a, b): product / np.sqrt(products[a, a] * products[b, b])
        for (a, b), product in products.items()
        if products[a, a] > 0 and products[b, b] > 0
    }


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the shifts and correlations over the pairs, on the reference and under shift."""
    first, *shifts = table["dataset"].drop_duplicates()
    under_shift = shifts[0] if len(shifts) == 1 else "mean of shifts"
    rows = []
    for place, part in (
        ("reference", table[table["dataset"] == first]),
        (under_shift, table[table["dataset"] != first]),
    ):
        numbers = ["angle", "soup", "ensemble", "advantage", "true", "approximation"]
        means = part.groupby(["one", "other"])[numbers].mean()
        rows.append(
            {
                "on": place,
                "pairs": len(means),
                "soup minus ensemble, points": _points(
                    means["soup"] - means["ensemble"]
                ),
                "advantage of the soup, points": _points(means["advantage"]),
                "angle and advantage, r": _r(means, "angle", "advantage"),
                "true and approximated loss, r": _r(means, "true", "approximation"),
            }
        )
    return pd.DataFrame(rows)


def _points(differences: pd.Series) -> str:
    return f"{100 * differences.mean():+.2f}"


def _r(means: pd.DataFrame, one: str, other: str) -> str:
    return f"{means[one].corr(means[other]):.2f}" if len(means) > 2 else ""
