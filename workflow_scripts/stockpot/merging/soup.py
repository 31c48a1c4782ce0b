"""Make one soup: check the ingredients and let the method find the recipe."""

import logging

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
    spec = context.spec
    usable = [card for card in cards if card.status == "ok"]
    for card in cards:
        if card.status != "ok":
            log.warning("%s is left out: this run %s", card.name, card.status)
    if not usable:
        raise StockpotError(
            f"soups.{spec['name']}: every ingredient diverged; nothing is left to mix"
        )
    check_ingredients(usable)
    ingredients = {card.name: card.sha256 for card in usable}
    recipe = methods.load(spec["method"])(ingredients, context)
    return {
        **recipe,
        "name": spec["name"],
        "method": spec["method"],
        "ingredient_names": ingredients,
    }
