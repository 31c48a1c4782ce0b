"""The share of examples that are right."""

from . import Answers, Score


def score(answers: Answers) -> Score:
    n, k = len(answers.correct), int(answers.correct.sum())
    return Score(k / n, n, k)
