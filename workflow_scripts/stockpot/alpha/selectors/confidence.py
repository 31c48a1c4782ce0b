"""The best mean of the held-out accuracy and that estimated under shift by confidence.

Average thresholded confidence (Garg et al. 2022); see ``statistics.estimates.thresholded``.
"""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="thresholded confidence (transductive)",
    needs=("held_out", "thresholded"),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by held-out accuracy and thresholded confidence.

    Args:
        sweep: One row per alpha, with held_out and thresholded.

    Returns:
        The alpha, the smallest of equals.
    """
    # The sum is largest where the mean is.
    return best_alpha(sweep, sweep["held_out"] + sweep["thresholded"])
