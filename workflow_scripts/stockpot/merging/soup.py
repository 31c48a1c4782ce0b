"""Make one soup: check the ingredients and let the method find the recipe."""

import logging
from dataclasses import replace
from pathlib import Path

from ..errors import StockpotError
from ..models.card import Card
from . import methods
from .checks import check_ingredients

log = logging.getLogger(__name__)


def make_soup(cards: list[Card], context: methods.Context) -> dict:
    """The recipe that the method of ``context.spec`` finds over the models of the cards.

    A run that diverged is named in the log and left out. Raises StockpotError if the rest
    cannot be mixed, or is empty.
    """
    spec, ingredients = context.spec, usable(context.spec["name"], cards)
    recipe = methods.load(spec["method"])(ingredients, context)
    return {
        **recipe,
        "name": spec["name"],
        "method": spec["method"],
        "ingredient_names": ingredients,
    }


def write_merge(folder: Path, cards: list[Card], context: methods.Context) -> Card:
    """Write the Classifier that a method which is not linear makes of the models of the cards."""
    from .export import write_streamed

    spec, ingredients = context.spec, usable(context.spec["name"], cards)
    start = context.weights(context.start)
    card = replace(
        start.card, name=spec["name"], kind=spec["method"], start=context.start,
        spec={**spec, "ingredients": ingredients},
    )  # fmt: skip
    tensors = methods.load(spec["method"])(ingredients, context)
    return write_streamed(folder, card, start.shapes(), tensors)


def usable(name: str, cards: list[Card]) -> dict[str, str]:
    """Name -> SHA-256 of the ingredients that can be mixed; see ``make_soup``."""
    kept = [card for card in cards if card.status == "ok"]
    for card in cards:
        if card.status != "ok":
            log.warning("%s is left out: this run %s", card.name, card.status)
    if not kept:
        raise StockpotError(f"soups.{name}: every ingredient diverged; nothing is left to mix")
    check_ingredients(kept)
    return {card.name: card.sha256 for card in kept}
