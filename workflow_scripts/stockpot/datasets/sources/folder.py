"""A folder with one sub-folder of images per class."""

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from ...errors import StockpotError

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def listing(path: str | Path) -> tuple[list[str], list[tuple[Path, int]]]:
    """Class names (sorted sub-folders) and (file, label) pairs in a fixed order."""
    folder = Path(path)
    if not folder.is_dir():
        raise StockpotError(
            f"{folder}: no such folder; a folder source has one sub-folder per class"
        )
    classes = sorted(p.name for p in folder.iterdir() if p.is_dir())
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
        except (OSError, UnidentifiedImageError, ValueError) as error:
            raise StockpotError(f"{file}: not a readable image ({error})") from error
    return images, np.array([label for _, label in files]), classes


def _resize_and_crop(image: Image.Image, side: int) -> np.ndarray:
    width, height = image.size
    scale = side / min(width, height)
    size = (
        int(side if width <= height else width * scale),
        int(side if height <= width else height * scale),
    )
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    return np.asarray(image.crop((left, top, left + side, top + side)))
