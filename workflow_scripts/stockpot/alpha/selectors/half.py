"""Alpha 0.5, as WiSE-FT recommends without knowledge of the domain (section 4)."""

from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="fixed 0.5")


def choose(sweep: "pd.DataFrame") -> float:
    """Choose the alpha of the sweep that is closest to 0.5.

    Args:
        sweep: One row per alpha.

    Returns:
        The alpha, the smallest of equals.
    """
    distances = (sweep["alpha"] - 0.5).abs()
    # idxmin takes the first of equals, and the rows are sorted by alpha.
    return float(sweep.loc[distances.idxmin(), "alpha"])
