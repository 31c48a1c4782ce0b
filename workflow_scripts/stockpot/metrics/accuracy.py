"""Accuracy: the fraction of examples that are right."""

from . import Answers, Score


def score(answers: Answers) -> Score:
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
