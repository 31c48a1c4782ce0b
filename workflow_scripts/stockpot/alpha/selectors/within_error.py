"""The smallest alpha within one standard error of the best held-out accuracy.

The one-standard-error rule (Breiman et al. 1984) takes the simplest model of those that are as
good as the best; here that is the one closest to the zero-shot model.
"""

import math
from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="within one error of the best held-out",
    needs=("held_out", "n"),
    optional=("standard_error",),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose the smallest alpha within one standard error of the best.

    Args:
        sweep: One row per alpha, with held_out and n; with standard_error if the score is
            no accuracy.

    Returns:
        The alpha.
    """
    highest = sweep["held_out"].max()
    if "standard_error" in sweep:
        error = sweep.loc[sweep["held_out"].idxmax(), "standard_error"]
    else:
        # The binomial standard error of a fraction of right answers: sqrt(p (1 - p) / n).
        error = math.sqrt(highest * (1 - highest) / sweep["n"].iloc[0])
    is_near = sweep["held_out"] >= highest - error
    return float(sweep.loc[is_near, "alpha"].min())
