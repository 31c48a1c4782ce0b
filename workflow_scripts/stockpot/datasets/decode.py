"""From image files to pixels, as CLIP's own transform: resize, centre crop, uint8."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import StockpotError

_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def decode(file: str | Path, side: int) -> np.ndarray:
    """uint8 [side, side, 3]: RGB, shorter side resized (bicubic), centre crop.

    Raises StockpotError naming a file that is no whole image.
    """
    try:
        with Image.open(file) as image:
            return _resize_and_crop(image.convert("RGB"), side)
    except _UNREADABLE as error:
        raise StockpotError(f"{file}: not a readable image ({error})") from error


def _resize_and_crop(image: Image.Image, side: int) -> np.ndarray:
    width, height = image.size
    short, long = min(width, height), max(width, height)
    size = (side, side * long // short) if width <= height else (side * long // short, side)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    return np.asarray(image.crop((left, top, left + side, top + side)))
