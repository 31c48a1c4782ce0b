"""Make one soup: check the ingredients and let the method find the recipe."""

import logging
from dataclasses import replace
from pathlib import Path

from ..models.card import Card
from ..runtime.errors import StockpotError
from . import methods
from .checks import check_ingredients, check_starts, check_tensors, check_towers
from .recipe import with_head

log = logging.getLogger(__name__)


def make_soup(cards: list[Card], context: methods.Context) -> dict:
    """The recipe that the method of ``context.spec`` finds over the models of the cards.

    A run that diverged is named in the log and left out. Raises StockpotError if the rest
    cannot be mixed, or is empty.
    """
    spec, find = context.spec, methods.load(context.spec["method"])
    ingredients, barriers = usable(cards, context)
    recipe = find(ingredients, context)
    if spec.get("backbones"):
        recipe = {**with_head(recipe, context.start), "backbones": True}
    return {
        **recipe,
        **({"barriers": barriers} if barriers else {}),
        "name": spec["name"],
        "method": spec["method"],
        "ingredient_names": ingredients,
    }


def write_merge(folder: Path, cards: list[Card], context: methods.Context) -> Card:
    """Write the Classifier that a method which is not linear makes of the models of the cards."""
    from .export import write_streamed, written

    spec, (ingredients, barriers) = context.spec, usable(cards, context)
    start = context.weights(context.start)
    card = replace(
        start.card,
        name=spec["name"],
        kind=spec["method"],
        start=context.start,
        spec={
            **spec,
            "ingredients": ingredients,
            **({"barriers": barriers} if barriers else {}),
        },
    )
    tensors = methods.load(spec["method"])(ingredients, context)
    return write_streamed(folder, card, start.shapes(), written(tensors))


def usable(
    cards: list[Card], context: methods.Context
) -> tuple[dict[str, str], dict[str, float]]:
    """(name -> SHA-256 of the ingredients that can be mixed, barriers); see ``make_soup``.

    barriers: of ingredients from another start, where the spec allows them; name -> points.
    """
    spec = context.spec
    kept = [card for card in cards if card.status == "ok"]
    for card in cards:
        if card.status != "ok":
            log.warning("%s is left out: this run %s", card.name, card.status)
    if not kept:
        raise StockpotError(
            f"soups.{spec['name']}: every ingredient diverged; nothing is left to mix"
        )
    ingredients = {card.name: card.sha256 for card in kept}
    if methods.mixes(spec["method"]) == "outputs":
        return ingredients, {}
    backbones = spec.get("backbones", False)
    check_ingredients(kept, one_start=False, one_class_list=not backbones)
    check_tensors(
        {card.name: context.weights(card.sha256) for card in kept}, not backbones
    )
    if backbones:
        check_towers(kept, context.weights)
        return ingredients, {}
    allowed = spec.get("allow_different_starts", False)
    return ingredients, check_starts(kept, context.weights, context.held_out, allowed)
