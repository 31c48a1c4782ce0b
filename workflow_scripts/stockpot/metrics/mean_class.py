"""Mean class accuracy: the mean over classes of the fraction of their examples that are right.

Shankar et al. (ICML 2020) score ImageNet's multilabel answers this way. Classes without examples
do not count.
"""

import numpy as np

from . import MetricInput, Score


def score(answers: MetricInput) -> Score:
    """Compute the mean class accuracy.

    Args:
        answers: A model's predictions.

    Returns:
        The score, without a count of right examples.
    """
    # counts[None]: as a single draw.
    pairs, counts = _pairs(answers)
    values = _mean_over_classes(pairs, counts[None])
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
    """Compute the mean class accuracy of resampled examples.

    The score depends only on how often each label is right and wrong, so these counts are drawn
    instead of examples.

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
    return _mean_over_classes(pairs, resampled_counts)


def _pairs(answers: MetricInput) -> tuple[np.ndarray, np.ndarray]:
    """(label, 1 if right else 0) [pairs, 2], and how often each pair occurs [pairs]."""
    label_and_right = np.stack(
        [answers.labels, answers.correct.astype(np.int64)],
        axis=1,
    )
    return np.unique(
        label_and_right,
        axis=0,
        return_counts=True,
    )


def _mean_over_classes(
    pairs: np.ndarray,
    counts: np.ndarray,
) -> np.ndarray:
    """The score of each row of counts: [draws, pairs] -> [draws]."""
    labels = pairs[:, 0]
    is_right = pairs[:, 1]
    class_count = int(labels.max()) + 1
    # float64 [pairs, classes].
    one_hot = np.eye(class_count)[labels]
    # Examples and right examples per class, [draws, classes] each.
    n = counts @ one_hot
    k = (counts * is_right) @ one_hot
    # A class without examples adds 0 / 1 to the total and nothing to the number of classes.
    class_accuracies = k / np.maximum(n, 1)
    total_accuracy = class_accuracies.sum(axis=1)
    classes_with_examples = (n > 0).sum(axis=1)
    return total_accuracy / classes_with_examples
