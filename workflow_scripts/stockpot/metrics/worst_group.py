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
    correct = answers.correct[has_group]
    # Examples and right examples per group.
    examples = np.bincount(groups)
    right = np.bincount(groups, weights=correct)
    right = right.astype(int)
    # Groups without examples are left out, as 0 / 0 is no accuracy.
    groups_with_examples = np.flatnonzero(examples)
    n = examples[groups_with_examples]
    k = right[groups_with_examples]
    accuracies = k / n
    worst = np.argmin(accuracies)
    return Score(
        value=float(accuracies[worst]),
        n=int(n[worst]),
        k=int(k[worst]),
    )
