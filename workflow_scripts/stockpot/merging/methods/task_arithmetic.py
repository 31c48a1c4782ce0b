"""Task arithmetic (Ilharco et al., ICLR 2023): start + scale * the sum of all updates."""

from typing import Any

from pydantic import Field

from ...runtime.options import PluginOptions
from ..recipe import linear_combination, single
from . import Context, Method


class Options(PluginOptions):
    """Options of task arithmetic.

    Attributes:
        scale: Factor of the sum of updates.
    """

    scale: float = Field(
        0.3,
        ge=0,
        description="factor of the sum of updates; 1 / number of ingredients is the uniform soup",
    )


METHOD = Method(options=Options)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of task arithmetic.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe.
    """
    scale = context.spec["scale"]
    shas = list(ingredients.values())
    # theta_0 + s sum_i (theta_i - theta_0) = (1 - s N) theta_0 + s sum_i theta_i
    start_term = (1 - scale * len(shas), single(context.start))
    ingredient_terms = [(scale, single(sha256)) for sha256 in shas]
    return linear_combination([start_term, *ingredient_terms])
