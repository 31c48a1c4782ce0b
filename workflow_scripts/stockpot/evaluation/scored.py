"""The score of answers to one data set, by the data set's own metric.

Models, mixes and ensembles are all scored here, so that their scores can be compared.
"""

import numpy as np

from ..datasets.dataset import Scoring
from ..metrics import MetricInput, Score, score, standard_error


def right_answers(
    scoring: Scoring,
    labels: np.ndarray,
    predicted: np.ndarray,
) -> np.ndarray:
    """Tell which answers are right: the label, or one of the classes that are accepted.

    Args:
        scoring: Of the data set.
        labels: int [n], of the images.
        predicted: int [n], the class index that was answered for each image.

    Returns:
        bool [n].
    """
    if not scoring.accepted:
        return predicted == labels
    pairs = zip(predicted.tolist(), scoring.accepted, strict=True)
    return np.array([answer in accepted for answer, accepted in pairs], dtype=bool)


def score_answers(
    scoring: Scoring,
    labels: np.ndarray,
    predicted: np.ndarray,
    correct: np.ndarray,
) -> Score:
    """Score answers by the data set's metric.

    Args:
        scoring: Of the data set.
        labels: int [n].
        predicted: int [n].
        correct: bool [n].

    Returns:
        value, n, and k, which is None where the metric is no share of right answers.
    """
    return score(scoring.metric, _metric_input(scoring, labels, predicted, correct))


def score_error(
    scoring: Scoring,
    labels: np.ndarray,
    predicted: np.ndarray,
    correct: np.ndarray,
) -> float:
    """Estimate the standard error of ``score_answers``.

    Args:
        scoring: Of the data set.
        labels: int [n].
        predicted: int [n].
        correct: bool [n].

    Returns:
        The standard error, in units of the score.
    """
    answers = _metric_input(scoring, labels, predicted, correct)
    return standard_error(scoring.metric, answers)


def _metric_input(
    scoring: Scoring,
    labels: np.ndarray,
    predicted: np.ndarray,
    correct: np.ndarray,
) -> MetricInput:
    # Only the metric of the worst group needs groups.
    groups = np.array(scoring.groups) if scoring.groups else None
    return MetricInput(predicted, labels, correct, groups)
