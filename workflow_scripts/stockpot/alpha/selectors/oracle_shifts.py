"""The best mean accuracy under shift: an oracle."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="best under shift (oracle)",
    needs=("shifts",),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by the accuracy under shift.

    Args:
        sweep: One row per alpha, with shifts.

    Returns:
        The alpha, the smallest of equals.
    """
    return best_alpha(sweep, sweep["shifts"])
