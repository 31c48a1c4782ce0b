"""What a run's line of training began with."""

from ..models.card import Card
from ..runtime.digest import sha256


def start_of(card: Card, spec: dict) -> str:
    """SHA-256 for the card of a run from the model of ``card``.

    That of the model's own line; a random head makes it another start, the same for one seed.
    """
    if spec["initial_head"] == "random":
        return sha256([card.origin(), "random head", spec["head_seed"]])
    return card.origin()
