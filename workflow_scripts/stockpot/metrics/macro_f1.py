"""Macro F1: the mean of the classes' F1 scores, over the classes that examples have.

WILDS-iWildCam is scored by it (Koh et al., ICML 2021).
"""

import numpy as np

from . import MetricInput, Score


def score(answers: MetricInput) -> Score:
    """Compute the macro F1.

    Args:
        answers: A model's predictions.

    Returns:
        The score, without a count of right examples.
    """
    # counts[None]: as a single draw.
    pairs, counts = _pairs(answers)
    values = _f1(pairs, counts[None])
    return Score(
        value=float(values[0]),
        n=len(answers.labels),
        k=None,
    )


def resampled(
    answers: MetricInput,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Compute the macro F1 of resampled examples.

    The score depends only on how often each pair of label and prediction occurs, so these counts
    are drawn instead of examples. Classes that a resampling misses are not part of its mean.

    Args:
        answers: A model's predictions.
        draws: Number of resamplings.
        rng: Draws the counts.

    Returns:
        float64 [draws].
    """
    pairs, counts = _pairs(answers)
    n = int(counts.sum())
    # Drawing n examples with replacement is a multinomial draw of the pairs.
    resampled_counts = rng.multinomial(n, counts / n, draws)
    return _f1(pairs, resampled_counts)


def _pairs(answers: MetricInput) -> tuple[np.ndarray, np.ndarray]:
    """(label, predicted) [pairs, 2], and how often each pair occurs [pairs]."""
    label_and_prediction = np.stack([answers.labels, answers.predicted], axis=1)
    return np.unique(
        label_and_prediction,
        axis=0,
        return_counts=True,
    )


def _f1(
    pairs: np.ndarray,
    counts: np.ndarray,
) -> np.ndarray:
    """The macro F1 of each row of counts: [draws, pairs] -> [draws]."""
    highest_class = int(pairs.max())
    class_count = highest_class + 1
    labels = pairs[:, 0]
    predictions = pairs[:, 1]
    is_any = np.ones(len(pairs), dtype=bool)
    is_right = labels == predictions
    # Each pair stands at its label, at its prediction, and at its label if that is predicted.
    at_label = _one_hot(labels, class_count, is_any)
    at_prediction = _one_hot(predictions, class_count, is_any)
    at_right_label = _one_hot(labels, class_count, is_right)
    # Examples per class, [draws, classes] each.
    labelled = counts @ at_label
    predicted = counts @ at_prediction
    right = counts @ at_right_label
    # F1 of a class: 2 right / (labelled + predicted); 0 / 1 where it does not occur at all.
    denominator = np.maximum(labelled + predicted, 1)
    f1 = 2 * right / denominator
    # A class without examples is not part of the mean.
    has_examples = labelled > 0
    total_f1 = (f1 * has_examples).sum(axis=1)
    classes_with_examples = has_examples.sum(axis=1)
    return total_f1 / classes_with_examples


def _one_hot(
    classes: np.ndarray,
    class_count: int,
    is_counted: np.ndarray,
) -> np.ndarray:
    """float64 [pairs, class_count]: 1 at the class of each pair that is counted."""
    matrix = np.zeros((len(classes), class_count))
    rows = np.flatnonzero(is_counted)
    matrix[rows, classes[rows]] = 1
    return matrix
