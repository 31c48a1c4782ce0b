"""The mean over classes of the share of their examples that are right.

As Shankar et al. (ICML 2020) score ImageNet's multilabel answers. Classes without examples count
for nothing.
"""

import numpy as np

from . import Answers, Score


def score(answers: Answers) -> Score:
    cells, counts = _cells(answers)
    return Score(float(_mean(cells, counts[None])[0]), len(answers.labels), None)


def resampled(answers: Answers, draws: int, rng: np.random.Generator) -> np.ndarray:
    """Resampling examples is drawing how often each label is right, and wrong."""
    cells, counts = _cells(answers)
    n = int(counts.sum())
    return _mean(cells, rng.multinomial(n, counts / n, draws))


def _cells(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """(label, right) [cells, 2] and how often each occurs [cells]."""
    both = np.stack([answers.labels, answers.correct.astype(np.int64)], axis=1)
    return np.unique(both, axis=0, return_counts=True)


def _mean(cells: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """counts: [draws, cells] -> [draws]"""
    own = np.eye(int(cells[:, 0].max()) + 1)[cells[:, 0]]
    n, k = counts @ own, (counts * cells[:, 1]) @ own
    return (k / np.maximum(n, 1)).sum(axis=1) / (n > 0).sum(axis=1)
