"""Metrics: how predictions on a data set become one number. One module each, found by file name.

A metric module defines ``score(answers) -> Score``. If its score is no count out of a count, it
also defines ``resampled(answers, draws, rng) -> float64 [draws]``: the metric of as many
resamplings of the examples, for an interval.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..runtime import registry


class Score(NamedTuple):
    """The score of a model on a data set.

    Attributes:
        value: The score, between 0 and 1.
        n: Number of examples that count.
        k: Number of examples that are right; None for a metric that counts none.
    """

    value: float
    n: int
    k: int | None


@dataclass(frozen=True)
class MetricInput:
    """What a model answers to the n examples of a data set.

    Attributes:
        predicted: Class that the model predicts, int [n].
        labels: Class of the example, int [n].
        correct: Whether the prediction counts as right, bool [n].
        groups: Group of the example, int [n], -1 for none; None if the data set has no groups.
    """

    predicted: np.ndarray
    labels: np.ndarray
    correct: np.ndarray
    groups: np.ndarray | None = None


def names() -> list[str]:
    """List the names of all metrics.

    Returns:
        Names as in the config, sorted.
    """
    return registry.names(__file__)


def score(
    metric: str,
    answers: MetricInput,
) -> Score:
    """Score a model on a data set.

    Args:
        metric: Name of the metric.
        answers: The model's predictions.

    Returns:
        The score.

    Raises:
        StockpotError: If there is no such metric.
    """
    function = registry.load(__name__, __file__, metric, "score", "metric")
    return function(answers)


def standard_error(
    metric: str,
    answers: MetricInput,
) -> float:
    """Estimate the standard error of a score.

    Args:
        metric: Name of the metric.
        answers: The model's predictions.

    Returns:
        The binomial standard error sqrt(p (1 - p) / n) of a count out of a count; else the
        standard deviation over resampled examples.

    Raises:
        StockpotError: If there is no such metric.
    """
    result = score(metric, answers)
    # The formula holds for independent examples that are right or wrong, and for nothing else.
    if result.k is None:
        return float(resampled(metric, answers).std())
    return float(np.sqrt(result.value * (1 - result.value) / result.n))


def resampled(
    metric: str,
    answers: MetricInput,
    draws: int = 2000,
    seed: int = 0,
) -> np.ndarray:
    """Compute a metric on resampled examples (a bootstrap).

    Args:
        metric: Name of a metric whose score is no count out of a count.
        answers: The model's predictions.
        draws: Number of resamplings.
        seed: Seed of the resampling.

    Returns:
        float64 [draws].

    Raises:
        StockpotError: If there is no such metric.
    """
    function = registry.load(__name__, __file__, metric, "resampled", "metric")
    # Always the same draws, so that intervals do not change from call to call.
    return function(answers, draws, np.random.default_rng(seed))
