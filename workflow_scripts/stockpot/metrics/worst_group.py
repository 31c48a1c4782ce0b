"""Worst-group accuracy: the accuracy of the group with the lowest one.

WILDS-FMoW is scored by it: its groups are regions (Koh et al., ICML 2021). The interval does not
take into account that the group is the lowest of several.
"""

import numpy as np

from . import MetricInput, Score


def score(answers: MetricInput) -> Score:
    """Compute the worst-group accuracy.

    Groups without examples do not count, nor do examples of group -1, which is none.

    Args:
        answers: A model's predictions, with groups.

    Returns:
        Accuracy, n and k of the worst group, the first one of equals.
    """
    has_group = answers.groups >= 0
    groups = answers.groups[has_group]
    # Examples and right examples per group.
    n = np.bincount(groups)
    k = np.bincount(groups, weights=answers.correct[has_group]).astype(int)
    groups_with_examples = np.flatnonzero(n)
    # Groups without examples are left out, as 0 / 0 is no accuracy.
    accuracies = k[groups_with_examples] / n[groups_with_examples]
    worst = groups_with_examples[np.argmin(accuracies)]
    return Score(
        value=float(k[worst] / n[worst]),
        n=int(n[worst]),
        k=int(k[worst]),
    )
