"""The logit ensemble: the mean of all ingredients' unnormalised logits (Model soups, section 2)."""

from typing import Any

from ..recipe import weighted
from ..rules import LOGIT_ENSEMBLE
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
    """Make the recipe of the logit ensemble.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe; its coefficients are in proportion to the option coefficients.
    """
    return weighted(ingredients, context.spec["coefficients"], LOGIT_ENSEMBLE)
