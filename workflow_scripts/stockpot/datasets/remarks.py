"""What a reader of results must know of the images of a data set, from its card."""

from typing import Any

from .decoding.colours import BLACK
from .repeated_images import ONCE


def remarks(card: dict[str, Any]) -> list[str]:
    """Write sentences on images that are equal or transparent.

    Args:
        card: Card of a data set.

    Returns:
        Sentences, [] where there is nothing to say.
    """
    name = card["name"]
    source = card["source"]
    sentences = []
    equal_count = source.get("equal", 0)
    if equal_count and source.get("duplicates") == ONCE:
        sentences.append(
            f"{name}: {equal_count} images that repeat another one are left out."
        )
    elif equal_count:
        sentences.append(
            f"{name}: {equal_count} of {card['n']} images repeat another one, and each of "
            "them counts."
        )
    alpha_count = source.get("alpha", 0)
    if alpha_count:
        background = source.get("background", BLACK)
        sentences.append(
            f"{name}: images with an alpha channel: {alpha_count}; background: {background}."
        )
    return sentences
