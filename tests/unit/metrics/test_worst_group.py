"""The accuracy of the worst group."""

import numpy as np
import pytest

from stockpot.metrics import MetricInput, score


def grouped_input(*groups: tuple[int, int, int]) -> MetricInput:
    """(number of the group, right, of how many) each."""
    numbers = np.concatenate([np.full(n, group) for group, _, n in groups])
    answered_right = np.concatenate([np.arange(n) < k for _, k, n in groups])
    zeros = np.zeros(len(answered_right), int)
    return MetricInput(zeros, zeros, answered_right, numbers)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ([(0, 3, 4), (1, 1, 3), (2, 1, 2)], (1 / 3, 3, 1)),
        ([(0, 3, 4), (5, 5, 5)], (0.75, 4, 3)),  # 1 to 4 have no examples
        ([(2, 0, 2), (1, 0, 3), (0, 1, 1)], (0, 3, 0)),  # the first of equals
        ([(0, 2, 6), (1, 1, 3)], (1 / 3, 6, 2)),
        ([(4, 2, 2)], (1, 2, 2)),
    ],
)
def test_the_worst_group_is_the_one_with_the_lowest_accuracy(groups, expected):
    found = score("worst-group", grouped_input(*groups))
    assert found == pytest.approx(expected)
    assert isinstance(found.k, int)
