"""How much memory an image may take, given the size of its file.

A file of a few hundred bytes can declare any number of pixels. So the memory that an image may take
follows from the size of its file, by the rule of ``datasets.bounded``. There are too many images
for a process each. Threads decode them side by side, and a budget bounds what they take together.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from ..bounded import MEMORY_BASE_BYTES, MEMORY_FACTOR, memory_limit

# Scans of a progressive JPEG, at most; encoders write about ten.
MAX_SCANS = 100
# Bytes from which on the machine is asked first whether it has them.
LARGE_BYTES = 16 << 20

# Bytes that Pillow takes for one pixel of a mode, where these are not four.
STORED_BYTES = {
    "1": 1,
    "L": 1,
    "P": 1,
    "I;16": 2,
    "I;16B": 2,
}
COLOUR_BYTES = 4
# Modes that Pillow converts before they are resized.
CONVERTED_MODES = ("1", "P", "PA", "LA", "I;16", "I;16B")
# Modes without an alpha channel. To make one of a transparent colour takes so many bytes per pixel.
OPAQUE_MODES = ("1", "L", "RGB", "I;16", "I;16B")
ALPHA_FROM_COLOUR_BYTES = 9
# Bytes per pixel that decoders take in addition. libwebp has two canvases and a copy. libjpeg
# holds the coefficients of every channel of a progressive file.
WEBP_BYTES = 10
COEFFICIENT_BYTES = 2


def bytes_per_pixel(
    kind: str,
    mode: str,
    *,
    progressive: bool = False,
    alpha: bool = False,
) -> int:
    """Return how much memory decoding takes at most at once, per pixel.

    Args:
        kind: Format, as Pillow calls it.
        mode: Mode in which Pillow stores the pixels.
        progressive: Is it a progressive JPEG?
        alpha: Must transparency be laid on a background?

    Returns:
        Bytes per pixel.
    """
    stored = STORED_BYTES.get(mode, COLOUR_BYTES)
    decoder = 0
    if kind == "WEBP":
        decoder = WEBP_BYTES
    elif kind in ("JPEG", "MPO") and progressive:
        decoder = COEFFICIENT_BYTES * Image.getmodebands(mode)
    elif kind in ("JPEG", "MPO"):
        # It may be decoded a second time to see whether it is whole, see ``whole``.
        decoder = stored
    converted = 0
    if mode in CONVERTED_MODES:
        converted = COLOUR_BYTES
    if alpha:
        converted += COLOUR_BYTES + 1
    if alpha and mode in OPAQUE_MODES:
        converted += ALPHA_FROM_COLOUR_BYTES
    # The decoder is done before the conversion begins.
    return stored + max(decoder, converted)


def require_few_pixels(
    size: tuple[int, int],
    kind: str,
    mode: str,
    file_size: int,
    *,
    progressive: bool = False,
    alpha: bool = False,
) -> int:
    """Require that an image needs no more memory than a file of its size may.

    Args:
        size: Width and height.
        kind: Format, as Pillow calls it.
        mode: Mode in which Pillow stores the pixels.
        file_size: Bytes of its file.
        progressive: Is it a progressive JPEG?
        alpha: Must transparency be laid on a background?

    Returns:
        Bytes of memory that decoding takes.

    Raises:
        ValueError: That is more than a file of this size may take.
    """
    width, height = size
    pixel_bytes = bytes_per_pixel(kind, mode, progressive=progressive, alpha=alpha)
    needed = width * height * pixel_bytes
    allowed = memory_limit(file_size)
    if needed > allowed:
        raise ValueError(
            f"{width} x {height} pixels in {file_size:,} bytes need {needed >> 20:,} MB of memory; "
            f"a file of that size may take {allowed >> 20:,} ({MEMORY_FACTOR} times its size and "
            f"{MEMORY_BASE_BYTES >> 20} MB)"
        )
    return needed


class Budget:
    """Memory that images which are decoded side by side may take together.

    An image that needs more than all of it waits until no other is decoded.

    Attributes:
        total: Bytes that may be taken together.
        taken: Bytes that are taken now.
    """

    def __init__(self, total: int) -> None:
        """Set the memory that may be taken.

        Args:
            total: Bytes.
        """
        self.total = total
        self.taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, needed: int) -> Iterator[None]:
        """Take memory of the budget inside the block; wait until it is free.

        Args:
            needed: Bytes.

        Yields:
            None.

        Raises:
            MemoryError: The machine lacks so much memory.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._has_room(needed))
            self.taken += needed
        try:
            if needed > LARGE_BYTES:
                # Decoders that get no memory call the image broken, so it is asked for first. The
                # array is not written to, so it costs nothing, and it is given back at once.
                np.empty(needed, np.uint8)
            yield
        finally:
            with self._changed:
                self.taken -= needed
                self._changed.notify_all()

    def _has_room(self, needed: int) -> bool:
        return not self.taken or self.taken + needed <= self.total
