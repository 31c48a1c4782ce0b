"""The style that figures share: ticks and names of rows."""

import numpy as np
import pytest

from stockpot.drawing import style

pytestmark = pytest.mark.slow


def test_names_of_rows_differ_when_they_are_shortened():
    names = [f"a-long-name-with-{i}-in-the-middle-of-everything-else" for i in range(3)]
    assert len(set(style.row_names(names, 0.8))) == 3


@pytest.mark.parametrize(
    ("low", "high", "axis"),
    [
        (0.4, 0.95, "logit"),
        (0.9, 0.99, "logit"),
        (1e-4, 0.9999, "logit"),
        (1e-4, 0.999, "probit"),
        (0.7, 0.71, "linear"),
        (-0.05, 1.05, "linear"),
    ],
)
def test_ticks_are_round_apart_and_inside(low, high, axis):
    ticks = np.array(style.ticks(low, high, axis))
    assert 3 <= len(ticks) <= 10
    assert (ticks >= low).all()
    assert (ticks <= high).all()
    forward = style.axis_transforms(axis)[0]
    assert (
        np.diff(forward(ticks)) >= 0.11 * (forward(high) - forward(low)) - 1e-9
    ).all()
    assert all(len(f"{100 * tick:.4g}") <= 5 for tick in ticks)
