"""The best mean of the accuracies on the held-out set and on its corrupted images."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="held-out and corruptions",
    needs=("held_out", "corrupted"),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by the accuracies on clean and on corrupted held-out images.

    Args:
        sweep: One row per alpha, with held_out and corrupted.

    Returns:
        The alpha, the smallest of equals.
    """
    # The sum is largest where the mean is.
    return best_alpha(sweep, sweep["held_out"] + sweep["corrupted"])
