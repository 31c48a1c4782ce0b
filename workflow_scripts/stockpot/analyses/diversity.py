"""How differently the zero-shot and the fine-tuned models answer (WiSE-FT, appendix E)."""

import random
from itertools import combinations

import pandas as pd
from pydantic import Field

from ..statistics.diversity import (
    cka_complement,
    divergence,
    kappa_complement,
    prediction_diversity,
    sample,
)
from ..tables.evidence import Evidence, Nothing
from . import Analysis
from ._options import MostPairs, Names, Pairs, SampledPairs


class Options(SampledPairs):
    models: Names = Field(
        [], description="end-to-end and linear runs to pair; empty: every one"
    )
    most: MostPairs = 40
    pairs: Pairs = Field(
        [],
        description="pairs of models; empty: the zero-shot model with every run, and the runs with "
        "each other",
    )


ANALYSIS = Analysis(options=Options, needs=("logits",))

MEASURES = ["prediction_diversity", "kappa_complement", "divergence", "cka_complement"]


def tabulate(evidence: Evidence, options: dict) -> pd.DataFrame:
    """A row per pair and data set: group of the pair, the four measures of ``MEASURES``, n.

    Divergence and CKA are of 10,000 examples where there are more, as in the paper.
    """
    pairs = [("pair", *pair) for pair in options["pairs"]] or _default(
        evidence, options
    )
    if not pairs:
        raise Nothing("diversity is of two models, and this study has one")
    evidence.check([model for _, *pair in pairs for model in pair])
    rows = []
    for dataset in evidence.by_image():
        answers = {m: evidence.answers(m, dataset) for _, *pair in pairs for m in pair}
        correct = {m: a.correct for m, a in answers.items()}
        predicted = {m: a.predicted for m, a in answers.items()}
        # Of many examples some will do for what compares logits, which are large.
        rows_of = sample(len(next(iter(correct.values()))))
        logits = {m: a.logits[rows_of] for m, a in answers.items()}
        for group, one, other in pairs:
            rows.append(
                {
                    "group": group,
                    "one": one,
                    "other": other,
                    "dataset": dataset,
                    "prediction_diversity": prediction_diversity(
                        correct[one], correct[other]
                    ),
                    "kappa_complement": kappa_complement(
                        predicted[one], predicted[other]
                    ),
                    "divergence": divergence(logits[one], logits[other]),
                    "cka_complement": cka_complement(logits[one], logits[other]),
                    "n": len(correct[one]),
                }
            )
    return pd.DataFrame(rows)


def _default(evidence: Evidence, options: dict) -> list[tuple[str, str, str]]:
    kept = options["models"]
    tuned, linear = (
        [m for m in evidence.named(*kinds) if not kept or m in kept]
        for kinds in (("end-to-end",), ("linear-classifier", "linear-search"))
    )
    start = [m for m in ("zero-shot",) if evidence.known(m)]
    groups = {
        "zero-shot and end-to-end": [(s, m) for s in start for m in tuned],
        "zero-shot and linear": [(s, m) for s in start for m in linear],
        "two end-to-end": list(combinations(tuned, 2)),
        "two linear": list(combinations(linear, 2)),
    }
    draw = random.Random(f"diversity {options['seed']}")
    for group, pairs in groups.items():
        if len(pairs) > options["most"]:
            groups[group] = sorted(draw.sample(pairs, options["most"]))
    return [(group, *pair) for group, pairs in groups.items() for pair in pairs]


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Means over the pairs of a group."""
    means = (
        table.groupby(["group", "dataset"], sort=False)[MEASURES].mean().reset_index()
    )
    return means.assign(**{m: [f"{value:.3f}" for value in means[m]] for m in MEASURES})
