"""Can these models be mixed? Answered from their cards before any weight is read."""

from ..errors import StockpotError
from ..models.card import Card


def check_ingredients(cards: list[Card]) -> None:
    """Raises StockpotError naming the first ingredient that does not fit the first one."""
    first = cards[0]
    for card in cards:
        if card.status != "ok":
            raise StockpotError(f"{card.name}: this run {card.status} and cannot be an ingredient")
        for what in ("architecture", "class_names", "normalise", "mean", "std"):
            if getattr(card, what) != getattr(first, what):
                raise StockpotError(
                    f"{card.name}: its {what.replace('_', ' ')} differs from that of {first.name}; "
                    "only models of one architecture, preprocessing and class list can be mixed"
                )
        if origin(card) != origin(first):
            raise StockpotError(
                f"{card.name}: it does not start from the same weights as {first.name}; "
                "a mix of models from different starts is no better than chance"
            )


def origin(card: Card) -> str:
    """SHA-256 of the weights that training began from, or of a model that was not trained."""
    return card.start or card.sha256
