"""The Recipe noun: what a merge is, as plain data.

A recipe names its ingredients by the SHA-256 of their weights:

    {"rule": "linear", "ingredients": {"<sha256>": coefficient, ...}}

``linear`` mixes weights; a coefficient may differ between parts of the model (see
``coefficients``). The other rules mix outputs. A model by itself is the linear recipe with
one coefficient of 1, so the end points of every sweep are the models they come from, down to
the key under which their predictions are stored.
"""

from ..runtime.errors import StockpotError
from .coefficients import Coefficient, combined
from .names import LINEAR

_CONTENT = ("rule", "ingredients")
HEAD = "head."


def single(sha256: str) -> dict:
    return {"rule": LINEAR, "ingredients": {sha256: 1.0}}


def uniform(shas: list[str], rule: str = LINEAR) -> dict:
    """Equal coefficients 1/k (Model soups, section 2). A repeated ingredient counts repeatedly."""
    return {
        "rule": rule,
        "ingredients": {s: shas.count(s) / len(shas) for s in sorted(set(shas))},
    }


def shared(ingredients: dict[str, str], shares: dict[str, float], rule: str) -> dict:
    """Shares of 1 in all, in proportion to those given by name; equal ones where none are given."""
    if not shares:
        return uniform(list(ingredients.values()), rule)
    whole = sum(shares[name] for name in ingredients)
    found = dict.fromkeys(ingredients.values(), 0.0)
    for name, sha in ingredients.items():
        found[sha] += shares[name] / whole
    return {"rule": rule, "ingredients": dict(sorted(found.items()))}


def interpolate(start: dict, end: dict, alpha: Coefficient) -> dict:
    """(1 - alpha) start + alpha end (WiSE-FT equation 1), of two linear recipes.

    alpha: one number, or one per part. 0 and 1 give exactly ``start`` and ``end``.
    """
    if start["rule"] != LINEAR or end["rule"] != LINEAR:
        raise StockpotError(
            f"only linear recipes can be interpolated, not {start['rule']} and {end['rule']}"
        )
    remainder = combined(lambda a: 1 - a, alpha)
    return total([(remainder, start), (alpha, end)])


def total(terms: list[tuple[Coefficient, dict]]) -> dict:
    """The sum of linear recipes, each times its coefficient; zeros are left out."""
    mixed: dict[str, Coefficient] = {}
    for share, recipe in terms:
        for sha256, coefficient in recipe["ingredients"].items():
            mixed[sha256] = combined(
                lambda before, s, c: before + s * c,
                mixed.get(sha256, 0.0),
                share,
                coefficient,
            )
    return {
        "rule": LINEAR,
        "ingredients": {s: c for s, c in sorted(mixed.items()) if c != 0},
    }


def with_head(recipe: dict, sha256: str) -> dict:
    """The mix of towers that a linear recipe describes, under the head of one model."""
    tower, head = {"": 1.0, HEAD: 0.0}, {"": 0.0, HEAD: 1.0}
    terms = [(tower, recipe), (head, single(sha256))]
    return total(terms) | {
        key: value for key, value in recipe.items() if key not in _CONTENT
    }
