"""The mean over classes of the F1 score, over the classes that examples have (WILDS-iWildCam)."""

import numpy as np

from . import Answers, Score


def score(answers: Answers) -> Score:
    pairs, counts = _pairs(answers)
    return Score(float(_f1(pairs, counts[None])[0]), len(answers.labels), None)


def resampled(answers: Answers, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Resampling examples is drawing how often each pair of label and answer occurs.

    Of classes that a resampling misses, none is part of its mean.
    """
    pairs, counts = _pairs(answers)
    n = int(counts.sum())
    return _f1(pairs, rng.multinomial(n, counts / n, draws))


def _pairs(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """(label, predicted) [pairs, 2] and how often each occurs [pairs]."""
    both = np.stack([answers.labels, answers.predicted], axis=1)
    return np.unique(both, axis=0, return_counts=True)


def _f1(pairs: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """counts: [draws, pairs] -> [draws]. F1 of a class: 2 right / (labelled + predicted)."""
    classes = int(pairs.max()) + 1
    labelled, predicted, right = (
        counts @ _places(column, classes, where)
        for column, where in (
            (pairs[:, 0], slice(None)),
            (pairs[:, 1], slice(None)),
            (pairs[:, 0], pairs[:, 0] == pairs[:, 1]),
        )
    )
    f1 = 2 * right / np.maximum(labelled + predicted, 1)
    there = labelled > 0
    return (f1 * there).sum(axis=1) / there.sum(axis=1)


def _places(column: np.ndarray, classes: int, where) -> np.ndarray:
    """float64 [pairs, classes]: 1 where a pair has the class, and is one of those wanted."""
    found = np.zeros((len(column), classes))
    rows = np.arange(len(column))[where]
    found[rows, column[where]] = 1
    return found
