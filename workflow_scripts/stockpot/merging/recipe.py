"""Recipes: what a merge is, as plain data.

A recipe names its ingredients by the SHA-256 of their weights:

    {"rule": "linear", "ingredients": {"<sha256>": coefficient, ...}}

The rule ``linear`` mixes weights; a coefficient may differ between tensors (see
``coefficients``). The other rules mix outputs. A single model is the linear recipe with one
coefficient of 1, so the end models of every sweep are the models that they come from, down to
the key under which their predictions are stored.
"""

from typing import Any

from ..runtime.errors import StockpotError
from .coefficients import Coefficient, combine
from .rules import LINEAR

# Keys that define the mix; all others only tell how it was made.
_CONTENT = ("rule", "ingredients")
HEAD = "head."

Recipe = dict[str, Any]


def single(sha256: str) -> Recipe:
    """Make the recipe of one model.

    Args:
        sha256: Digest of its weights.

    Returns:
        The linear recipe with one coefficient of 1.
    """
    return {"rule": LINEAR, "ingredients": {sha256: 1.0}}


def uniform(
    shas: list[str],
    rule: str = LINEAR,
) -> Recipe:
    """Make a recipe with equal coefficients 1/k (Model soups, section 2).

    Args:
        shas: Digests of the ingredients. One that is repeated counts repeatedly.
        rule: How the ingredients are mixed.

    Returns:
        The recipe.
    """
    coefficients = {sha: shas.count(sha) / len(shas) for sha in sorted(set(shas))}
    return {"rule": rule, "ingredients": coefficients}


def weighted(
    ingredients: dict[str, str],
    weights: dict[str, float],
    rule: str,
) -> Recipe:
    """Make a recipe whose coefficients are in proportion to weights and sum to 1.

    Args:
        ingredients: Name -> digest.
        weights: Name -> positive weight; empty for equal coefficients.
        rule: How the ingredients are mixed.

    Returns:
        The recipe.
    """
    if not weights:
        return uniform(list(ingredients.values()), rule)
    total = sum(weights[name] for name in ingredients)
    # Two names may have the same digest, whose coefficients then add up.
    coefficients = dict.fromkeys(ingredients.values(), 0.0)
    for name, sha256 in ingredients.items():
        coefficients[sha256] += weights[name] / total
    return {"rule": rule, "ingredients": dict(sorted(coefficients.items()))}


def interpolate(
    start: Recipe,
    end: Recipe,
    alpha: Coefficient,
) -> Recipe:
    """Make the recipe (1 - alpha) start + alpha end (WiSE-FT, equation 1).

    Args:
        start: A linear recipe; the result at alpha 0 is exactly this.
        end: A linear recipe; the result at alpha 1 is exactly this.
        alpha: One number, or one per prefix of tensor names.

    Returns:
        A linear recipe.

    Raises:
        StockpotError: If a recipe is not linear.
    """
    if start["rule"] != LINEAR or end["rule"] != LINEAR:
        raise StockpotError(
            f"only linear recipes can be interpolated, not {start['rule']} and {end['rule']}"
        )
    remainder = combine(lambda number: 1 - number, alpha)
    # Coefficients that become 0 are left out, so alpha 0 and 1 give the end models.
    return linear_combination([(remainder, start), (alpha, end)])


def linear_combination(terms: list[tuple[Coefficient, Recipe]]) -> Recipe:
    """Sum linear recipes, each multiplied by a coefficient.

    Args:
        terms: (coefficient, linear recipe).

    Returns:
        A linear recipe, without the ingredients whose coefficient is 0.
    """
    mixed: dict[str, Coefficient] = {}
    for factor, recipe in terms:
        for sha256, coefficient in recipe["ingredients"].items():
            # c = sum_j f_j c_j, where the same model may be an ingredient of several recipes.
            mixed[sha256] = combine(
                lambda before, scale, number: before + scale * number,
                mixed.get(sha256, 0.0),
                factor,
                coefficient,
            )
    nonzero = {
        sha256: coefficient
        for sha256, coefficient in sorted(mixed.items())
        if coefficient != 0
    }
    return {"rule": LINEAR, "ingredients": nonzero}


def with_head(
    recipe: Recipe,
    sha256: str,
) -> Recipe:
    """Mix towers as a recipe says, and put the head of one model on them.

    Args:
        recipe: A linear recipe.
        sha256: Digest of the model whose head is taken.

    Returns:
        A linear recipe with the other keys of ``recipe``.
    """
    # Prefixes of tensor names: everything except the head, and the head only.
    tower_only: Coefficient = {"": 1.0, HEAD: 0.0}
    head_only: Coefficient = {"": 0.0, HEAD: 1.0}
    combined = linear_combination([(tower_only, recipe), (head_only, single(sha256))])
    notes = {key: value for key, value in recipe.items() if key not in _CONTENT}
    return combined | notes
