"""Template of a metric: copy to stockpot/metrics/<name>.py, and change it.

This one is the fraction of wrong answers. A metric that is no count out of a count, such as macro
F1, also defines ``resampled``; see ``macro_f1.py``.
"""

from . import MetricInput, Score


def score(answers: MetricInput) -> Score:
    """Score a model on a data set.

    Args:
        answers: Predictions and labels, [n] each.

    Returns:
        The score, n, and the number k of examples that it counts.
    """
    example_count = len(answers.correct)
    wrong_count = example_count - int(answers.correct.sum())
    return Score(value=wrong_count / example_count, n=example_count, k=wrong_count)
