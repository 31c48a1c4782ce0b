"""A folder with one sub-folder of images per class."""

from pathlib import Path

import numpy as np
from PIL import Image

from ...errors import StockpotError
from ..listing import class_folders

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
_UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)


def listing(path: str | Path) -> tuple[list[str], list[tuple[Path, int]]]:
    """Class names (sorted sub-folders) and (file, label) pairs in a fixed order."""
    folder = Path(path)
    if not folder.is_dir():
        raise StockpotError(
            f"{folder}: no such folder; a folder source has one sub-folder per class"
        )
    classes = class_folders(folder)
    files = [
        (file, label)
        for label, name in enumerate(classes)
        for file in sorted((folder / name).rglob("*"))
        if file.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise StockpotError(
            f"{folder}: no images ({', '.join(sorted(SUFFIXES))}) in any sub-folder"
        )
    return classes, files


def prepare(spec: dict) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Decode all images: RGB, shorter side resized (bicubic), centre crop, as CLIP's own transform.

    spec: path, side.
    """
    classes, files = listing(spec["path"])
    side = spec["side"]
    images = np.empty((len(files), side, side, 3), np.uint8)
    for row, (file, _) in enumerate(files):
        try:
            with Image.open(file) as image:
                images[row] = _resize_and_crop(image.convert("RGB"), side)
        except _UNREADABLE as error:
            raise StockpotError(f"{file}: not a readable image ({error})") from error
    return images, np.array([label for _, label in files]), classes


def _resize_and_crop(image: Image.Image, side: int) -> np.ndarray:
    width, height = image.size
    short, long = min(width, height), max(width, height)
    size = (side, side * long // short) if width <= height else (side * long // short, side)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    return np.asarray(image.crop((left, top, left + side, top + side)))
