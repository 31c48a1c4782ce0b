"""What a reader of results must know of a data set, from its card."""

from .decoding.colours import BLACK
from .equal import ONCE


def remarks(card: dict) -> list[str]:
    """Sentences on images that are equal, or transparent."""
    name, source, told = card["name"], card["source"], []
    if equal := source.get("equal", 0):
        if source.get("duplicates") == ONCE:
            told.append(f"{name}: {equal} images that repeat another one are left out.")
        else:
            told.append(
                f"{name}: {equal} of {card['n']} images repeat another one, and count each."
            )
    if alpha := source.get("alpha", 0):
        background = source.get("background", BLACK)
        told.append(
            f"{name}: images with an alpha channel: {alpha}, laid on {background}."
        )
    return told
