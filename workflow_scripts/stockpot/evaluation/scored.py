"""The answers to one data set as a number, by the data set's own metric.

Models, mixes and ensembles are all scored here, so that they can be compared.
"""

import numpy as np

from ..datasets.dataset import Scoring
from ..metrics import Answers, Score, score, standard_error


def right_answers(
    scoring: Scoring, labels: np.ndarray, predicted: np.ndarray
) -> np.ndarray:
    """bool [n]: is the answer the label, or, where several are accepted, one of these?

    labels, predicted: int [n], of the images.
    """
    if not scoring.accepted:
        return predicted == labels
    pairs = zip(predicted.tolist(), scoring.accepted, strict=True)
    return np.array([answer in accepted for answer, accepted in pairs], dtype=bool)


def scored(
    scoring: Scoring, labels: np.ndarray, predicted: np.ndarray, correct: np.ndarray
) -> Score:
    """value, n and k (None where the metric counts nothing).

    labels, predicted: int [n]; correct: bool [n].
    """
    return score(scoring.metric, _answers(scoring, labels, predicted, correct))


def error_of(
    scoring: Scoring, labels: np.ndarray, predicted: np.ndarray, correct: np.ndarray
) -> float:
    """The standard error of ``scored``."""
    return standard_error(scoring.metric, _answers(scoring, labels, predicted, correct))


def _answers(scoring, labels, predicted, correct) -> Answers:
    groups = np.array(scoring.groups) if scoring.groups else None
    return Answers(predicted, labels, correct, groups)
