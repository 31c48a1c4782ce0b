"""The smallest alpha within one standard error of the best held-out accuracy.

The one-standard-error rule (Breiman et al. 1984): the robust end is the simpler model.
"""

import math
from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="within one error of the best held-out",
    needs=("held_out", "n"),
    optional=("error",),
)


def choose(curve: "pd.DataFrame") -> float:
    highest = curve["held_out"].max()
    if "error" in curve:
        error = curve.loc[curve["held_out"].idxmax(), "error"]
    else:
        # The binomial standard error of a share of right answers.
        error = math.sqrt(highest * (1 - highest) / curve["n"].iloc[0])
    return float(curve.loc[curve["held_out"] >= highest - error, "alpha"].min())
