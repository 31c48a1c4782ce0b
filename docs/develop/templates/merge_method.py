"""Template of a merge method: copy to stockpot/merging/methods/<name>.py, and change it.

This one averages the ingredients and then goes a part of the way back to the zero-shot model.
"""

from typing import Any

from pydantic import Field

from ...runtime.options import PluginOptions
from ..recipe import interpolate, single, uniform
from . import Context, Method


class Options(PluginOptions):
    """Config keys of the method, with defaults, bounds and descriptions."""

    fraction: float = Field(
        0.5,
        ge=0,
        le=1,
        description="fraction of the mean update that is kept",
    )


METHOD = Method(options=Options)


def find(ingredients: dict[str, str], context: Context) -> dict[str, Any]:
    """Make the recipe: (1 - fraction) zero-shot + fraction * mean of the ingredients.

    Args:
        ingredients: Name -> SHA-256 of each ingredient.
        context: The options and the models.

    Returns:
        A recipe: the coefficient of each model.
    """
    mean = uniform(list(ingredients.values()))
    return interpolate(single(context.start), mean, context.spec["fraction"])
