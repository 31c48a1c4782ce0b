"""The uniform soup: the mean of all ingredients (Model soups, section 2)."""

from typing import Any

from ..recipe import uniform
from . import Context, Method

METHOD = Method()


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of the uniform soup.

    Args:
        ingredients: Name -> SHA-256.
        context: Not used.

    Returns:
        The recipe.
    """
    return uniform(list(ingredients.values()))
