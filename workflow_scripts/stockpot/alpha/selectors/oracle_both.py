"""The best mean of the accuracies on the reference and under shift: an oracle."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="best on both (oracle)",
    needs=("reference", "shifts"),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by the accuracies on all test sets.

    Args:
        sweep: One row per alpha, with reference and shifts.

    Returns:
        The alpha, the smallest of equals.
    """
    # The sum is largest where the mean is.
    return best_alpha(sweep, sweep["reference"] + sweep["shifts"])
