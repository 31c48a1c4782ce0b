"""Helper that several selectors share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Scores closer than this are equal: sums of the same numbers in another order.
_TOLERANCE = 1e-12


def best_alpha(
    curve: "pd.DataFrame",
    score: "pd.Series",
) -> float:
    """Find the alpha of the best score.

    Args:
        curve: One row per alpha.
        score: One number per row of the curve; larger is better.

    Returns:
        The alpha, the smallest of equals.
    """
    is_best = score >= score.max() - _TOLERANCE
    return float(curve.loc[is_best, "alpha"].min())
