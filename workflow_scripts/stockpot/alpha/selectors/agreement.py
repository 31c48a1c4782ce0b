"""The best mean of the held-out accuracy and that estimated under shift by agreement.

Agreement-on-the-line (Baek et al. 2022); see ``statistics.estimates.agreement_on_the_line``.
"""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="agreement on the line (transductive)",
    needs=("held_out", "agreement"),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by held-out accuracy and agreement.

    Args:
        sweep: One row per alpha, with held_out and agreement.

    Returns:
        The alpha, the smallest of equals.
    """
    # The sum is largest where the mean is.
    return best_alpha(sweep, sweep["held_out"] + sweep["agreement"])
