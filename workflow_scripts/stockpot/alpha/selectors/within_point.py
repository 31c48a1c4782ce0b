"""The smallest alpha within one percentage point of the best held-out accuracy."""

from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="within one point of the best held-out",
    needs=("held_out",),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose the smallest alpha within one percentage point of the best.

    Args:
        sweep: One row per alpha, with held_out.

    Returns:
        The alpha.
    """
    # 1e-12: exactly one point counts as within, whatever the rounding.
    is_near = sweep["held_out"] >= sweep["held_out"].max() - 0.01 - 1e-12
    return float(sweep.loc[is_near, "alpha"].min())
