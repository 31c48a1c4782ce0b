"""Helper that several selectors share."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Scores closer than this are equal: sums of the same numbers in another order.
_TOLERANCE = 1e-12


def best_alpha(
    sweep: "pd.DataFrame",
    score: "pd.Series",
) -> float:
    """Find the alpha of the best score.

    Args:
        sweep: One row per alpha.
        score: One number per row of the sweep; larger is better.

    Returns:
        The alpha, the smallest of equals.
    """
    is_best = score >= score.max() - _TOLERANCE
    return float(sweep.loc[is_best, "alpha"].min())
