"""The best accuracy on the held-out set; the smallest alpha of equals."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="best held-out",
    needs=("held_out",),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by held-out accuracy.

    Args:
        sweep: One row per alpha, with held_out.

    Returns:
        The alpha, the smallest of equals.
    """
    return best_alpha(sweep, sweep["held_out"])
