"""The accuracy of the group with the lowest one (WILDS-FMoW: the worst region).

Groups without examples count for nothing, nor do examples of group -1, which is none. n and k are
those of the worst group, the first of equals; the interval knows nothing of its being the lowest
of several.
"""

import numpy as np

from . import Answers, Score


def score(answers: Answers) -> Score:
    known = answers.groups >= 0
    groups = answers.groups[known]
    n = np.bincount(groups)
    k = np.bincount(groups, weights=answers.correct[known]).astype(int)
    there = np.flatnonzero(n)
    worst = there[np.argmin(k[there] / n[there])]
    return Score(float(k[worst] / n[worst]), int(n[worst]), int(k[worst]))
