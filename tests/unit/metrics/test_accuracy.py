"""Accuracy counts what is right."""

from dataclasses import replace

import numpy as np

from stockpot.metrics import score
from tests.support.metric_inputs import metric_input


def test_accuracy_counts():
    given = replace(
        metric_input([0, 1, 2, 2], [0, 0, 0, 0]), correct=np.array([1, 0, 1, 1], bool)
    )
    assert score("accuracy", given) == (0.75, 4, 3), (
        "of what counts as right, not of the label"
    )
