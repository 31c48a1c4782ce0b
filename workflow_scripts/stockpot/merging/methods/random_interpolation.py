"""Random interpolation: each example is answered by one model, drawn at random (WiSE-FT, C.3.3)."""

from typing import Any

from ..recipe import weighted
from ..rules import RANDOM_INTERPOLATION
from . import Context, Method
from ._options import Coefficients

METHOD = Method(
    options=Coefficients,
    mixes="outputs",
)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of random interpolation.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe; its coefficients are in proportion to the option coefficients.
    """
    return weighted(ingredients, context.spec["coefficients"], RANDOM_INTERPOLATION)
