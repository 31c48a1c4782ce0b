"""How differently the zero-shot and the fine-tuned models answer (WiSE-FT, appendix E)."""

import random
from itertools import combinations, product
from typing import Any, NamedTuple

import pandas as pd
from pydantic import Field

from ..statistics.diversity import (
    cka_complement,
    divergence,
    kappa_complement,
    prediction_diversity,
    sample,
)
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError
from . import Analysis
from ._options import MaxPairs, Names, Pairs, SampledPairs


class Options(SampledPairs):
    """Options of the analysis.

    Attributes:
        models: Names of runs to pair.
        max_pairs: Largest number of pairs of a group.
        pairs: Pairs of models.
    """

    models: Names = Field(
        [], description="end-to-end and linear runs that form pairs; empty: all"
    )
    max_pairs: MaxPairs = 40
    pairs: Pairs = Field(
        [],
        description="pairs of models; empty: the zero-shot model with every run, and the runs with "
        "each other",
    )


ANALYSIS = Analysis(options=Options, needs=("logits",))

# Group of the pairs that the config gives.
GIVEN = "pair"
MEASURES = ["prediction_diversity", "kappa_complement", "divergence", "cka_complement"]


class Pair(NamedTuple):
    """Two models to compare.

    Attributes:
        group: What kinds of models these are.
        one: Name of the first model.
        other: Name of the second model.
    """

    group: str
    one: str
    other: str


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Tabulate how differently pairs of models answer.

    Divergence and CKA are of 10,000 examples where there are more, as in the paper.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per pair and data set: group of the pair, the four ``MEASURES``, and n.

    Raises:
        NothingToShowError: If there are no two models, or one that is named has no result.
    """
    pairs = [Pair(GIVEN, *pair) for pair in options["pairs"]]
    if not pairs:
        pairs = _default_pairs(evidence, options)
    if not pairs:
        raise NothingToShowError("diversity needs two models, and this study has one")
    models: list[str] = []
    for pair in pairs:
        # Named in this order where they lack a result.
        models += [pair.one, pair.other]
    evidence.require_results(models)
    rows: list[dict[str, Any]] = []
    for dataset in evidence.sets_with_common_images():
        rows += _rows(evidence, dataset, pairs, list(dict.fromkeys(models)))
    return pd.DataFrame(rows)


def _rows(
    evidence: Evidence,
    dataset: str,
    pairs: list[Pair],
    models: list[str],
) -> list[dict[str, Any]]:
    """The measures of all pairs on one data set."""
    # Logits are large, and for what compares them a sample of many examples will do.
    sampled_rows = sample(len(evidence.correct(models[0], dataset)))
    # Every array is read once: many pairs share a model.
    correct = {}
    predicted = {}
    logits = {}
    for model in models:
        answers = evidence.answers(model, dataset)
        correct[model] = answers.correct
        predicted[model] = answers.predicted
        logits[model] = answers.logits[sampled_rows]
    rows = []
    for group, one, other in pairs:
        rows.append(
            {
                "pair_type": group,
                "model": one,
                "other_model": other,
                "dataset": dataset,
                "prediction_diversity": prediction_diversity(
                    correct[one],
                    correct[other],
                ),
                "kappa_complement": kappa_complement(
                    predicted[one],
                    predicted[other],
                ),
                "divergence": divergence(logits[one], logits[other]),
                "cka_complement": cka_complement(logits[one], logits[other]),
                "n": len(correct[one]),
            }
        )
    return rows


def _default_pairs(
    evidence: Evidence,
    options: dict[str, Any],
) -> list[Pair]:
    """The zero-shot model with every run, and the runs of one kind with each other."""
    end_to_end = evidence.models_of_kind("end-to-end")
    linear = evidence.models_of_kind("linear-classifier", "linear-search")
    if options["models"]:
        end_to_end = [name for name in end_to_end if name in options["models"]]
        linear = [name for name in linear if name in options["models"]]
    zero_shot = [ZERO_SHOT] if evidence.has_results(ZERO_SHOT) else []
    # The short table has the mean over the pairs of a group.
    groups = {
        "zero-shot and end-to-end": list(product(zero_shot, end_to_end)),
        "zero-shot and linear": list(product(zero_shot, linear)),
        "two end-to-end": list(combinations(end_to_end, 2)),
        "two linear": list(combinations(linear, 2)),
    }
    # One generator for all groups, in this order: each sample follows from the ones before.
    rng = random.Random(f"diversity {options['seed']}")
    pairs = []
    for group, models in groups.items():
        if len(models) > options["max_pairs"]:
            models = sorted(rng.sample(models, options["max_pairs"]))
        pairs += [Pair(group, *names) for names in models]
    return pairs


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: means over the pairs of a group.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per group and data set; of pairs that the config gives, one per pair and data set.
    """
    columns = ["pair_type", "dataset"]
    if table["pair_type"].eq(GIVEN).all():
        columns = ["pair_type", "model", "other_model", "dataset"]
    groups = table.groupby(columns, sort=False)
    means = groups[MEASURES].mean().reset_index()
    for measure in MEASURES:
        means[measure] = [f"{value:.3f}" for value in means[measure]]
    return means
