"""The order in which people look for names."""

import re


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Make a key for ``sorted`` that puts model-2 before model-10.

    Args:
        name: The name to sort.

    Returns:
        A tuple that compares numbers as numbers, and puts them before texts.
    """
    # Texts and numbers in turn: "model-10" gives "model-", "10" and "".
    pieces = re.split(r"(\d+)", name)
    return tuple(_piece_key(piece) for piece in pieces)


def _piece_key(piece: str) -> tuple[int, int, str]:
    """The first number keeps numbers and texts apart, which cannot be compared."""
    if piece.isdecimal():
        number = int(piece)
        return (0, number, "")
    return (1, 0, piece)
