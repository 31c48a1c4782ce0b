"""The greedy ensemble: selected as the greedy soup, of models whose logits are averaged."""

from typing import Any

from ..rules import LOGIT_ENSEMBLE
from . import Context, Method
from ._options import Order
from .greedy import select

METHOD = Method(
    options=Order,
    mixes="outputs",
)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Find the greedy ensemble.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe, with the selected names and the trace of the selection.
    """
    return select(ingredients, context, LOGIT_ENSEMBLE)
