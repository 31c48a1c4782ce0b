"""Soups and ensembles of two: when is the mean of weights as good as the mean of outputs?

Model soups, section 4: the angle between two updates against what their mean gains (figure 3),
soup against ensemble (figure 4), and the formula that connects their losses.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import Field

from ..statistics import calibration
from ..statistics.approximation import soup_minus_ensemble
from ..tables.evidence import ZERO_SHOT, Evidence, NothingToShowError, inner_products
from . import Analysis
from ._options import MaxPairs, Names, SampledPairs

if TYPE_CHECKING:
    from ..merging.methods import Context


class Options(SampledPairs):
    """Options of the analysis.

    Attributes:
        models: Names of runs.
        max_pairs: Largest number of pairs.
        alpha_step: Distance of the three mixes of a pair.
    """

    models: Names = Field([], description="names of runs; empty: every end-to-end run")
    max_pairs: MaxPairs = 15
    alpha_step: float = Field(
        0.1,
        ge=0.001,
        le=0.5,
        description="step of alpha with which the second derivative of the loss is "
        "computed",
    )


ANALYSIS = Analysis(
    options=Options,
    needs=("geometry", "logits"),
    evaluates=("held-out", "reference", "shift"),
)

# Two points always lie on a line.
_FEWEST_FOR_CORRELATION = 3


def mixes(
    models: dict[str, str],
    context: "Context",
    options: dict[str, Any],
) -> Iterator[tuple[dict[str, str], dict]]:
    """Yield the mean of every pair of runs, and the mixes a step to each side of it.

    Args:
        models: Name -> SHA-256 of the zero-shot model and the usable runs.
        context: Not used.
        options: See ``Options``.

    Yields:
        Labels (model, run, other_run) and the recipe.
    """
    from ..merging.recipe import interpolate, single

    runs = {name: sha for name, sha in models.items() if name != ZERO_SHOT}
    for one, other in sampled_pairs(runs, options):
        first = single(runs[one])
        second = single(runs[other])
        for alpha in _alphas(options["alpha_step"]):
            labels = {
                "model": mix_name(one, other, alpha),
                "run": one,
                "other_run": other,
            }
            yield labels, interpolate(first, second, alpha)


def sampled_pairs(
    names: Iterable[str],
    options: dict[str, Any],
) -> list[tuple[str, str]]:
    """List all pairs, or draw some where there are too many.

    Args:
        names: Of the models, in any order.
        options: ``max_pairs``, the largest number of pairs, and ``seed``, of the draw.

    Returns:
        Sorted pairs of sorted names.
    """
    # Sorted, so that the draw does not depend on the order of the names.
    pairs = list(combinations(sorted(names), 2))
    if len(pairs) <= options["max_pairs"]:
        return pairs
    rng = random.Random(f"pairs {options['seed']}")
    return sorted(rng.sample(pairs, options["max_pairs"]))


def mix_name(
    one: str,
    other: str,
    alpha: float,
) -> str:
    """Name a mix of two runs.

    Args:
        one: The run at alpha 0.
        other: The run at alpha 1.
        alpha: Coefficient of the other run.

    Returns:
        The name.
    """
    return f"{one} to {other} at {alpha:g}"


def _alphas(step: float) -> list[float]:
    # Rounded, so that 0.5 - 0.1 and the like have short names.
    return [round(0.5 - step, 9), 0.5, round(0.5 + step, 9)]


def tabulate(
    evidence: Evidence,
    options: dict[str, Any],
) -> pd.DataFrame:
    """Compare the soup and the ensemble of every pair of runs.

    Args:
        evidence: The study.
        options: See ``Options``.

    Returns:
        A row per pair and data set. angle: between the updates, in degrees. soup_accuracy,
        ensemble_accuracy: of the means, by the data set's own metric. interpolation_advantage:
        of the soup over the mean of its two. soup_loss, ensemble_loss, loss_difference,
        approximate_loss_difference, curvature, variance: see
        ``approximation.soup_minus_ensemble``; inverse_temperature calibrates the soup on the
        held-out set, as in the paper.

    Raises:
        NothingToShowError: If there are no two runs, or every shift is scored by videos.
    """
    if evidence.mixes.empty:
        raise NothingToShowError("a pair needs two end-to-end runs")
    test_sets = evidence.sets_with_common_images()
    if len(test_sets) == 1:
        raise NothingToShowError(
            "every shift is scored by videos, and models keep different frames of them"
        )
    evidence.note_own_metrics()
    cosine_of = cosines(evidence.geometry)
    pairs = evidence.mixes[["run", "other_run"]].drop_duplicates()
    rows = []
    for one, other in pairs.itertuples(index=False):
        pair = (one, other)
        before, soup, after = _mix_names(one, other, options["alpha_step"])
        beta = _inverse_temperature(evidence, soup)
        angle = _degrees(cosine_of.get(pair, np.nan))
        for dataset in test_sets:
            row = {
                "model": one,
                "other_model": other,
                "dataset": dataset,
                "angle": angle,
            }
            row |= _accuracies(evidence, dataset, pair, soup)
            row |= _losses(
                evidence,
                dataset,
                pair,
                (before, soup, after),
                options["alpha_step"],
                beta,
            )
            rows.append(row)
    return pd.DataFrame(rows)


def _mix_names(
    one: str,
    other: str,
    step: float,
) -> list[str]:
    """Names of the mean of two runs, and of the mixes a step before and after it."""
    return [mix_name(one, other, alpha) for alpha in _alphas(step)]


def _inverse_temperature(evidence: Evidence, soup: str) -> float:
    """beta, the inverse of the temperature that calibrates a soup on held-out data."""
    logits = evidence.answers(soup, evidence.held_out).logits
    labels = evidence.labels(evidence.held_out)
    return 1 / calibration.temperature(logits, labels)


def _degrees(cosine: float) -> float:
    """The angle of a cosine."""
    # Rounding may move a cosine out of [-1, 1], where it has no angle.
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def _accuracies(
    evidence: Evidence,
    dataset: str,
    pair: tuple[str, str],
    soup: str,
) -> dict[str, float]:
    """Scores of the soup and of the ensemble of two runs on one data set."""
    first, second = [evidence.answers(model, dataset) for model in pair]
    # The ensemble averages logits in float64.
    ensemble_logits = (first.logits.astype(float) + second.logits) / 2
    soup_predicted = evidence.answers(soup, dataset).predicted
    scores = [
        evidence.score(dataset, predicted).value
        for predicted in (soup_predicted, first.predicted, second.predicted)
    ]
    soup_score, first_score, second_score = scores
    return {
        "soup_accuracy": soup_score,
        "ensemble_accuracy": evidence.score(dataset, ensemble_logits.argmax(1)).value,
        "interpolation_advantage": soup_score - np.mean([first_score, second_score]),
    }


def _losses(
    evidence: Evidence,
    dataset: str,
    pair: tuple[str, str],
    soups: tuple[str, str, str],
    step: float,
    beta: float,
) -> dict[str, float]:
    """Losses of the soup and of the ensemble of two runs on one data set.

    Args:
        evidence: The study.
        dataset: Name of the data set.
        pair: Names of the two runs.
        soups: Names of their mean and of the mixes a step before and after it.
        step: Of alpha, between the mixes.
        beta: Inverse temperature.
    """
    labels = evidence.labels(dataset)
    first_logits, second_logits = [
        evidence.answers(model, dataset).logits for model in pair
    ]
    soup_logits = [evidence.answers(model, dataset).logits for model in soups]
    losses = soup_minus_ensemble(
        first_logits,
        second_logits,
        soup_logits,
        labels,
        step=step,
        beta=beta,
    )
    return {
        "inverse_temperature": beta,
        "soup_loss": losses["soup"],
        "ensemble_loss": losses["ensemble"],
        "loss_difference": losses["true"],
        "approximate_loss_difference": losses["approximation"],
        "curvature": losses["curvature"],
        "variance": losses["variance"],
        "n": len(labels),
    }


def cosines(geometry: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Compute the cosines between updates.

    Args:
        geometry: Columns model, other_model and inner_product.

    Returns:
        (model, other) -> cosine; missing where one of the two did not move.
    """
    products = inner_products(geometry)
    cosine_of = {}
    for (one, other), product in products.items():
        # cos = <u, v> / sqrt(<u, u> <v, v>).
        one_squared = products[one, one]
        other_squared = products[other, other]
        if one_squared > 0 and other_squared > 0:
            cosine_of[one, other] = product / np.sqrt(one_squared * other_squared)
    return cosine_of


def short_table(table: pd.DataFrame) -> pd.DataFrame:
    """Shorten the table: means over the shifts, and correlations over the pairs.

    Args:
        table: What ``tabulate`` gave.

    Returns:
        A row for the reference and one for the shifts.
    """
    # The reference is the first data set of the table.
    reference, *shifts = table["dataset"].drop_duplicates()
    under_shift = shifts[0] if len(shifts) == 1 else "mean of shifts"
    is_reference = table["dataset"] == reference
    return pd.DataFrame(
        [
            _summary("reference", table[is_reference]),
            _summary(under_shift, table[~is_reference]),
        ]
    )


def _summary(title: str, table: pd.DataFrame) -> dict[str, object]:
    """Means and correlations over the pairs, of the mean over some data sets."""
    # First the mean over the data sets of each pair, then over the pairs.
    numbers = [
        "angle",
        "soup_accuracy",
        "ensemble_accuracy",
        "interpolation_advantage",
        "loss_difference",
        "approximate_loss_difference",
    ]
    means = table.groupby(["model", "other_model"])[numbers].mean()
    return {
        "dataset": title,
        "pairs": len(means),
        "soup minus ensemble, points": _mean_points(
            means["soup_accuracy"] - means["ensemble_accuracy"]
        ),
        "advantage of the soup, points": _mean_points(means["interpolation_advantage"]),
        "angle and advantage, r": _correlation(
            means, "angle", "interpolation_advantage"
        ),
        "true and approximated loss, r": _correlation(
            means, "loss_difference", "approximate_loss_difference"
        ),
    }


def _mean_points(differences: pd.Series) -> str:
    return f"{100 * differences.mean():+.2f}"


def _correlation(
    means: pd.DataFrame,
    one: str,
    other: str,
) -> str:
    """Pearson's correlation of two columns; "" for fewer than three pairs."""
    if len(means) < _FEWEST_FOR_CORRELATION:
        return ""
    return f"{means[one].corr(means[other]):.2f}"
