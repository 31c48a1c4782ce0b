"""The lineage of a run: which zero-shot model it descends from."""

from typing import Any

from ..models.card import Card
from ..runtime.digest import sha256


def lineage_sha256(card: Card, spec: dict[str, Any]) -> str:
    """Identify the lineage of a run.

    Args:
        card: The card of the classifier that the run starts from.
        spec: initial_head and head_seed.

    Returns:
        SHA-256, the same for all runs that can be averaged with this one: that of the
        classifier's own lineage. A random head makes it another lineage, the same for one seed.
    """
    if spec["initial_head"] == "random":
        return sha256([card.origin(), "random head", spec["head_seed"]])
    return card.origin()
