"""Make one soup: check the ingredients and let the method find the recipe."""

import logging
from collections.abc import Callable, Mapping

from ..errors import StockpotError
from ..models.card import Card
from . import methods
from .checks import check_ingredients, origin

log = logging.getLogger(__name__)


def make_soup(
    spec: dict,
    cards: list[Card],
    held_out: Callable[[dict], tuple[int, int]],
    weights: Callable[[str], Mapping] | None = None,
) -> dict:
    """The recipe that ``spec["method"]`` finds over the models of the cards.

    spec: name, method and the method's options. held_out: recipe -> (k, n) on the held-out
    set. weights: see ``methods.Context``. A run that diverged is named in the log and left
    out. Raises StockpotError if the rest cannot be mixed, or is empty.
    """
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
    context = methods.Context(spec, held_out, origin(usable[0]), weights)
    recipe = methods.load(spec["method"])(ingredients, context)
    return {
        **recipe,
        "name": spec["name"],
        "method": spec["method"],
        "ingredient_names": ingredients,
    }
