"""The least entropy of the predictions on images of the shifts; the smallest alpha of equals."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best_alpha

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(
    label="least entropy (transductive)",
    needs=("entropy",),
)


def choose(sweep: "pd.DataFrame") -> float:
    """Choose by the entropy of the predictions under shift.

    Args:
        sweep: One row per alpha, with entropy.

    Returns:
        The alpha, the smallest of equals.
    """
    # Negative, as the largest score is taken.
    return best_alpha(sweep, -sweep["entropy"])
