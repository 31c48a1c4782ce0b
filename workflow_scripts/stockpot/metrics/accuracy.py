"""Accuracy: the fraction of examples that are right."""

from . import MetricInput, Score


def score(answers: MetricInput) -> Score:
    """Compute the accuracy.

    Args:
        answers: A model's predictions.

    Returns:
        The score.
    """
    n = len(answers.correct)
    k = int(answers.correct.sum())
    return Score(
        value=k / n,
        n=n,
        k=k,
    )
