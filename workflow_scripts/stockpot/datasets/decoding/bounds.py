"""How much memory and time an image of so many bytes may take.

A few hundred bytes can declare any number of pixels, so the memory of an image follows from its
file's size, by the rule of ``datasets.bounded``; images are too many for a process each. They are
decoded side by side, by threads, so that their sum is bounded too.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from ..bounded import MEMORY_BASE_BYTES, MEMORY_FACTOR, memory_limit

MOST_SCANS = 100  # of a progressive JPEG; encoders write about ten
LARGE = 16 << 20  # bytes from which on it is asked first whether there is room

# Bytes that Pillow takes for one pixel.
STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
STORED_COLOUR = 4
# Modes that have no alpha channel, and what it takes to make one of a colour that is transparent.
OPAQUE = ("1", "L", "RGB", "I;16", "I;16B")
CLEAR_COLOUR = 9
# What a decoder takes beside: libjpeg for a second look at the end of a file (see ``whole``), or
# for the coefficients of every channel of a progressive file; libwebp for two canvases and a copy.
WEBP_CANVASES = 10
COEFFICIENT = 2


def bytes_per_pixel(
    kind: str, mode: str, progressive: bool = False, alpha: bool = False
) -> int:
    """Most memory that decoding takes at once, per pixel.

    Args:
        kind: format, as Pillow calls it.
        mode: as Pillow stores it.
        progressive: Is it a progressive JPEG?
        alpha: Must transparency be laid on a background?
    """
    stored = STORED.get(mode, STORED_COLOUR)
    beside = 0
    if kind in ("JPEG", "MPO"):
        beside = COEFFICIENT * Image.getmodebands(mode) if progressive else stored
    if kind == "WEBP":
        beside = WEBP_CANVASES
    converted = 0
    if mode in ("1", "P", "PA", "LA", "I;16", "I;16B"):
        converted = STORED_COLOUR
    if alpha:
        converted += STORED_COLOUR + 1
    if alpha and mode in OPAQUE:
        converted += CLEAR_COLOUR
    return stored + max(beside, converted)


def require_few_pixels(
    size: tuple[int, int],
    kind: str,
    mode: str,
    n: int,
    progressive: bool = False,
    alpha: bool = False,
) -> int:
    """Bytes of memory that decoding an image takes.

    Args:
        size: width and height.
        n: bytes of its file.
        kind, mode, progressive, alpha: see ``bytes_per_pixel``.

    Raises:
        ValueError: That is more than a file of this size may take.
    """
    width, height = size
    needed = width * height * bytes_per_pixel(kind, mode, progressive, alpha)
    allowed = memory_limit(n)
    if needed > allowed:
        raise ValueError(
            f"{width} x {height} pixels in {n:,} bytes need {needed >> 20:,} MB of memory; a file "
            f"of that size may take {allowed >> 20:,} ({MEMORY_FACTOR} times its size and "
            f"{MEMORY_BASE_BYTES >> 20} MB)"
        )
    return needed


class Budget:
    """Bytes that images which are decoded side by side may take in all. One that needs more than
    that waits until it is alone."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def of(self, needed: int) -> Iterator[None]:
        """Take so many bytes for a while. Raises MemoryError where the machine lacks them."""
        with self._changed:
            self._changed.wait_for(
                lambda: not self.taken or self.taken + needed <= self.total
            )
            self.taken += needed
        try:
            if needed > LARGE:
                # Decoders that get no memory call the image broken, so it is asked for first. It is
                # not touched, which costs nothing, and given back at once.
                np.empty(needed, np.uint8)
            yield
        finally:
            with self._changed:
                self.taken -= needed
                self._changed.notify_all()
