"""More and more ingredients: accuracy and calibration of soups and ensembles of the first k.

Model soups, figure B.1 (accuracy) and B.2 (calibration: ensembles gain, soups do not).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import Field

from ..runtime.options import Count, PluginOptions
from ..statistics import calibration
from ..tables.display import percents
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError
from . import Analysis
from ._options import Names

if TYPE_CHECKING:
    from ..merging.methods import Context


class Options(PluginOptions):
    """Options of the analysis.

    Attributes:
        models: Names of runs, in the order in which they are added.
        sizes: Numbers of ingredients.
    """

    models: Names = Field(
        [],
        description="runs in the order in which they are added; empty: the end-to-end "
        "runs by name",
    )
    sizes: list[Count] = Field(
        [],
        description="numbers of ingredients; empty: 1, 2, 3, … 12, and then in larger "
        "steps up to all",
    )


ANALYSIS = Analysis(
    options=Options,
    needs=("logits",),
    evaluates=("reference", "shift"),
)

# What a recipe needs to be evaluated.
CONTENT = ("rule", "ingredients")
# Every number of ingredients up to this is looked at.
ALL_UP_TO = 12


class Scores(NamedTuple):
    """Scores of a model on one data set.

    Attributes:
        accuracy: By the data set's own metric.
        ece: Expected calibration error.
        nll: Mean negative log-likelihood in nats.
    """

    accuracy: float
    ece: float
    nll: float


def mixes(
    models: dict[str, str],
    context: "Context",
    options: dict[str, Any],
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the uniform and the greedy soup of the first k runs.

    Args:
        models: Name -> SHA-256 of the zero-shot model and the usable runs.
        context: Evaluates soups on held-out data, for the greedy soup.
        options: See ``Options``.

    Yields:
        Labels (model; run_count, k; ingredient_count, how many were kept; last_run, the run that
        was added last) and the recipe.
    """
    from ..merging.methods import greedy
    from ..merging.recipe import uniform
    from ..runtime.options import schemas
    from ..runtime.registry import defaults

    order = options["models"]
    if not order:
        order = sorted(name for name in models if name != ZERO_SHOT)
    # Runs that diverged, or that other studies have, are left out.
    order = [name for name in order if name in models]
    # The greedy soup reads its options from the context.
    context.spec = context.spec | defaults(schemas(greedy.METHOD.options))
    for k in sizes(order, options):
        first_k = {name: models[name] for name in order[:k]}
        last_run = order[k - 1]
        uniform_labels = {
            "model": f"uniform of {k}",
            "run_count": k,
            "ingredient_count": k,
            "last_run": last_run,
        }
        yield uniform_labels, uniform(list(first_k.values()))
        recipe = greedy.find(first_k, context)
        greedy_labels = {
            "model": f"greedy of {k}",
            "run_count": k,
            "ingredient_count": len(recipe["members"]),
            "last_run": last_run,
        }
        content = {key: recipe[key] for key in CONTENT}
        yield greedy_labels, content


def sizes(order: list[str], options: dict[str, Any]) -> list[int]:
    """List the numbers of ingredients to look at.

    Args:
        order: The runs, in the order in which they are added.
        options: See ``Options``.

    Returns:
        Those of the option ``sizes`` that are possible. By default all up to 12, then ever
        fewer (16, 24, 32, 48, 64, ...), and the number of runs.
    """
    most = len(order)
    run_counts = options["sizes"]
    if not run_counts:
        run_counts = [*_thinned(most), most]
    return [k for k in run_counts if k <= most]


def _thinned(most: int) -> list[int]:
    """Numbers below ``most``: all up to 12, then two to a doubling."""
    numbers = list(range(1, min(most, ALL_UP_TO + 1)))
    # The first power of two after 12.
    power_of_two = 16
    while power_of_two < most:
        numbers.append(power_of_two)
        half_way = power_of_two + power_of_two // 2
        if half_way < most:
            numbers.append(half_way)
        power_of_two *= 2
    return numbers


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Score soups and ensembles of the first k runs.

    Methods: uniform soup, greedy soup, logit ensemble, and the best single model of the first k
    on held-out data.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per number of runs, method and data set (reference, or mean of shifts). accuracy:
        by the data set's own metric; ece; nll, in nats; ingredient_count: how many the method kept.

    Raises:
        NothingToShowError: If there are no two runs.
    """
    order = options["models"] or sorted(evidence.end_to_end_runs())
    order = [name for name in order if evidence.has_results(name)]
    if evidence.mixes.empty or len(order) < 2:
        raise NothingToShowError("a growing soup needs two end-to-end runs")
    test_sets = evidence.sets_with_common_images()
    evidence.note_own_metrics()
    mixes_by_name = evidence.mixes.drop_duplicates("model").set_index("model")
    kept = mixes_by_name["ingredient_count"]
    best = _best_of_first(evidence, order)
    run_counts = sizes(order, options)
    scores = {}
    for dataset in test_sets:
        scores[dataset] = _scores_on(evidence, dataset, order, run_counts, best)
    rows = []
    for method, k in scores[test_sets[0]]:
        # How many ingredients the method kept of the first k.
        ingredient_count = k
        if method == "greedy soup":
            ingredient_count = kept[f"greedy of {k}"]
        elif method == "best single":
            ingredient_count = 1
        for set_name, names in evidence.reference_and_shifts.items():
            datasets = [name for name in names if name in test_sets]
            if not datasets:
                continue
            row = {
                "run_count": k,
                "method": method,
                "ingredient_count": ingredient_count,
                "dataset": set_name,
            }
            set_scores = [scores[dataset][method, k] for dataset in datasets]
            row |= _mean_scores(set_scores)
            row["n"] = sum(len(evidence.labels(dataset)) for dataset in datasets)
            rows.append(row)
    return pd.DataFrame(rows)


def _mean_scores(scores: list[Scores]) -> dict[str, float]:
    """The unweighted mean over the data sets of each score."""
    means = np.mean(scores, axis=0)
    return Scores(*means)._asdict()


def _best_of_first(
    evidence: Evidence,
    order: list[str],
) -> dict[int, str]:
    """Number of runs -> the one of the first so many that is best on held-out data."""
    held_out = {name: evidence.accuracy(name, evidence.held_out) for name in order}
    best = {}
    for k in range(1, len(order) + 1):
        first_k = order[:k]
        best[k] = max(first_k, key=held_out.get)
    return best


def _scores_on(
    evidence: Evidence,
    dataset: str,
    order: list[str],
    wanted_sizes: list[int],
    best: dict[int, str],
) -> dict[tuple[str, int], Scores]:
    """(method, k) -> scores on one data set.

    The logits of all runs need not fit into memory: their sum grows run by run.
    """
    total = 0.0
    single_scores = {}
    scores = {}
    for k, model in enumerate(order, 1):
        logits = _logits(evidence, model, dataset)
        # The sum of the logits of the first k runs.
        total = total + logits
        single_scores[model] = _scores(evidence, dataset, logits)
        if k not in wanted_sizes:
            continue
        for kind in ("uniform", "greedy"):
            soup_logits = _logits(evidence, f"{kind} of {k}", dataset)
            scores[f"{kind} soup", k] = _scores(evidence, dataset, soup_logits)
        scores["logit ensemble", k] = _scores(evidence, dataset, total / k)
        scores["best single", k] = single_scores[best[k]]
    return scores


def _logits(
    evidence: Evidence,
    model: str,
    dataset: str,
) -> np.ndarray:
    """Float64 [n, classes]."""
    prediction = evidence.answers(model, dataset)
    return prediction.logits.astype(float)


def _scores(
    evidence: Evidence,
    dataset: str,
    logits: np.ndarray,
) -> Scores:
    predicted = logits.argmax(1)
    confidence = calibration.confidences(logits)
    correct = evidence.is_correct(dataset, predicted)
    return Scores(
        accuracy=evidence.score(dataset, predicted).value,
        ece=calibration.ece(confidence, correct),
        nll=calibration.nll(logits, evidence.labels(dataset)),
    )


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table to the smallest and the largest number of ingredients.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row per number, method and data set.
    """
    run_count = table["run_count"]
    is_shown = run_count.isin([run_count.min(), run_count.max()])
    shown = table[is_shown]
    return shown.assign(
        accuracy=percents(shown["accuracy"]),
        ece=percents(shown["ece"]),
        nll=[f"{nll:.3f}" for nll in shown["nll"]],
    )
