"""What several selectors share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def best(curve: "pd.DataFrame", score: "pd.Series") -> float:
    """The alpha of the best score; the smallest of equals (up to rounding)."""
    return float(curve.loc[score >= score.max() - 1e-12, "alpha"].min())
