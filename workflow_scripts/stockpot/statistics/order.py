"""The order in which people look for names."""

import re


def natural(name: str) -> tuple:
    """Key for ``sorted`` that puts model-2 before model-10."""
    pieces = re.split(r"(\d+)", name)
    return tuple(
        (0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces
    )
