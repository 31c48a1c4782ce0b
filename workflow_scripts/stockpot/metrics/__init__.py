"""How the answers to a data set become its number: one module per metric, found by file name.

A metric module defines ``score(answers) -> Score``. Where the score is no count out of a count,
it also defines ``resampled(answers, draws, rng) -> float64 [draws]``: the metric of as many
resamplings of the examples, for an interval.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..runtime import registry


class Score(NamedTuple):
    """value: in [0, 1]; n examples that count; k of them right, None where none are counted."""

    value: float
    n: int
    k: int | None


@dataclass(frozen=True)
class Answers:
    """predicted, labels: int [n]; correct: bool [n]; groups: int [n] of the examples, or None."""

    predicted: np.ndarray
    labels: np.ndarray
    correct: np.ndarray
    groups: np.ndarray | None = None


def names() -> list[str]:
    return registry.names(__file__)


def score(metric: str, answers: Answers) -> Score:
    """StockpotError for a metric that does not exist."""
    return registry.load(__name__, __file__, metric, "score", "metric")(answers)


def standard_error(metric: str, answers: Answers) -> float:
    """Of a count out of a count the binomial one, else the spread of resampled examples."""
    found = score(metric, answers)
    if found.k is None:
        return float(resampled(metric, answers).std())
    return float(np.sqrt(found.value * (1 - found.value) / found.n))


def resampled(
    metric: str, answers: Answers, draws: int = 2000, seed: int = 0
) -> np.ndarray:
    """float64 [draws]: the metric of resampled examples, for one that counts nothing."""
    function = registry.load(__name__, __file__, metric, "resampled", "metric")
    return function(answers, draws, np.random.default_rng(seed))
