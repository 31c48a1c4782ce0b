"""Template of a selector: copy to stockpot/alpha/selectors/<name>.py, and change it.

This one chooses the largest alpha whose held-out accuracy is within two points of the best.
"""

from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="within two points, largest", needs=("held_out",))


def choose(sweep: "pd.DataFrame") -> float:
    """Choose alpha.

    Args:
        sweep: One row per alpha, sorted by alpha, with the columns that ``needs`` names.

    Returns:
        The alpha.
    """
    best = sweep["held_out"].max()
    is_near = sweep["held_out"] >= best - 0.02
    return float(sweep.loc[is_near, "alpha"].max())
