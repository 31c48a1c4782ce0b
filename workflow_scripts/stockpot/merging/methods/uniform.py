"""The uniform soup: the mean of all ingredients (Model soups, section 2)."""

from ..recipe import uniform
from . import Method

METHOD = Method()


def find(ingredients: dict[str, str], context) -> dict:
    return uniform(list(ingredients.values()))
