"""Make one merge: check the ingredients, and let the merge method find the recipe."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..models.card import Card
from ..runtime.errors import StockpotError
from . import methods
from .checks import check_ingredients, check_starts, check_tensors, check_towers
from .recipe import with_head

log = logging.getLogger(__name__)


def make_soup(
    cards: list[Card],
    context: methods.Context,
) -> dict[str, Any]:
    """Find the recipe of a soup or an ensemble.

    A run that diverged is named in the log and left out.

    Args:
        cards: Cards of the ingredients.
        context: What the method may look at; its spec is the entry of ``soups``.

    Returns:
        The recipe, with the names of the soup, its method and its ingredients.

    Raises:
        StockpotError: If the ingredients cannot be mixed, or none is left.
    """
    spec = context.spec
    # Loaded first, so that a method that does not exist is reported before models are read.
    find = methods.load(spec["method"])
    ingredients, barriers = usable(cards, context)
    recipe = find(ingredients, context)
    if spec.get("towers_only"):
        recipe = {**with_head(recipe, context.start), "towers_only": True}
    # The order of the keys is that of the file.
    soup = dict(recipe)
    if barriers:
        soup["barriers"] = barriers
    soup["name"] = spec["name"]
    soup["method"] = spec["method"]
    soup["ingredient_names"] = ingredients
    return soup


def write_merge(
    folder: Path,
    cards: list[Card],
    context: methods.Context,
) -> Card:
    """Write the classifier of a method that is not linear in the weights.

    Args:
        folder: Where it is written.
        cards: Cards of the ingredients.
        context: What the method may look at; its spec is the entry of ``soups``.

    Returns:
        The card of the classifier.

    Raises:
        StockpotError: If the ingredients cannot be mixed, or none is left.
    """
    from .export import as_stream, write_streamed

    spec = context.spec
    ingredients, barriers = usable(cards, context)
    start = context.weights(context.start)
    described = {**spec, "ingredients": ingredients}
    if barriers:
        described["barriers"] = barriers
    card = replace(
        start.card,
        name=spec["name"],
        kind=spec["method"],
        start=context.start,
        spec=described,
    )
    merge = methods.load(spec["method"])
    tensors = merge(ingredients, context)
    return write_streamed(
        folder,
        card,
        start.shapes(),
        as_stream(tensors),
    )


def usable(
    cards: list[Card],
    context: methods.Context,
) -> tuple[dict[str, str], dict[str, float]]:
    """Leave out the runs that diverged, and check that the others can be mixed.

    Args:
        cards: Cards of the ingredients.
        context: What the method may look at.

    Returns:
        (name -> SHA-256 of the ingredients, name -> barrier in percentage points of those from
        another start, where the spec allows them).

    Raises:
        StockpotError: If the ingredients cannot be mixed, or none is left.
    """
    spec = context.spec
    kept = _without_diverged(cards)
    if not kept:
        raise StockpotError(
            f"soups.{spec['name']}: every ingredient diverged; nothing is left to mix"
        )
    ingredients = {card.name: card.sha256 for card in kept}
    # Outputs of any two models can be averaged, if their classes are the same.
    if methods.mixes(spec["method"]) == "outputs":
        return ingredients, {}
    return ingredients, _check_weights(kept, context)


def _check_weights(
    kept: list[Card],
    context: methods.Context,
) -> dict[str, float]:
    """Check that weights can be mixed; name -> barrier of ingredients from another start."""
    spec = context.spec
    towers_only = spec.get("towers_only", False)
    check_ingredients(
        kept,
        one_start=False,
        one_class_list=not towers_only,
    )
    weights = {card.name: context.weights(card.sha256) for card in kept}
    check_tensors(weights, heads=not towers_only)
    if towers_only:
        # The heads differ, and with them the starts.
        check_towers(kept, context.weights)
        return {}
    return check_starts(
        kept,
        context.weights,
        context.held_out,
        allowed=spec.get("allow_different_lineages", False),
    )


def _without_diverged(cards: list[Card]) -> list[Card]:
    kept = []
    for card in cards:
        if card.status == "ok":
            kept.append(card)
        else:
            log.warning("%s is left out: this run %s", card.name, card.status)
    return kept
