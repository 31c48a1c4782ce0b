"""A folder with one sub-folder of images per class."""

from pathlib import Path

from ...errors import StockpotError
from ..listing import class_folders, files_below, listing_digest

OPTIONS = {"path": {"description": "one sub-folder of images per class", "type": "string"}}
SEEDED = False
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}


def classes(entry, locate):
    folder = locate(entry["path"])
    return class_folders(folder) if folder.is_dir() else []


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def count(entry, locate):
    folder = locate(entry["path"])
    return len(listing(folder)[1]) if folder.is_dir() else 0


def facts(entry, locate, key):
    folder = locate(entry["path"])
    return {"path": str(folder), "files": listing_digest(folder, f"{key}.path")}


def listing(path: str | Path) -> tuple[list[str], list[tuple[Path, int]]]:
    """Class names (sorted sub-folders) and (file, label) pairs in a fixed order."""
    folder = Path(path)
    if not folder.is_dir():
        raise StockpotError(
            f"{folder}: no such folder; a folder source has one sub-folder per class"
        )
    names = class_folders(folder)
    files = [
        (file, label)
        for label, name in enumerate(names)
        for file in files_below(folder / name)
        if file.suffix.lower() in SUFFIXES
    ]
    if not files:
        raise StockpotError(
            f"{folder}: no images ({', '.join(sorted(SUFFIXES))}) in any sub-folder"
        )
    return names, files


def prepare(spec):
    """Decode all images; see ``decode``."""
    import numpy as np

    from ..decode import decode

    names, files = listing(spec["path"])
    side = spec["side"]
    images = np.empty((len(files), side, side, 3), np.uint8)
    for row, (file, _) in enumerate(files):
        images[row] = decode(file, side)
    return images, np.array([label for _, label in files]), names
