"""A folder with one sub-folder of images per class."""

from collections import Counter
from pathlib import Path

from ...errors import StockpotError
from ..listing import class_folders, files_below, listing_digest

OPTIONS = {"path": {"description": "one sub-folder of images per class", "type": "string"}}
ENCODED = True
SEEDED = False
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
NOT_READ = {".heic", ".heif", ".avif", ".jxl", ".tif", ".tiff", ".gif"}


def classes(entry, locate):
    folder = locate(entry["path"])
    return class_folders(folder) if folder.is_dir() else []


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def counts(entry, locate):
    folder = locate(entry["path"])
    labels = [label for _, label in listing(folder)[1]] if folder.is_dir() else []
    return [n for _, n in sorted(Counter(labels).items())]


def facts(entry, locate, key):
    folder = locate(entry["path"])
    digest = listing_digest(folder, f"{key}.path")
    names, files = listing(folder)
    known = {label for _, label in files}
    kinds = ", ".join(sorted(SUFFIXES))
    for label, name in enumerate(names):
        if label not in known:
            raise StockpotError(
                f"{key}.path: {folder / name} is a class without images ({kinds}); remove the "
                "folder, or convert what is in it"
            )
    others = [file for file in files_below(folder) if file.suffix.lower() in NOT_READ]
    if others:
        raise StockpotError(
            f"{key}.path: {len(others)} images, as {others[0]}, are of a kind that is not read; "
            f"read are {kinds}. Convert them, or move them away"
        )
    return {"path": str(folder), "files": digest}


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
    from ..examples import Examples, File

    folder = Path(spec["path"])
    names, files = listing(folder)
    return Examples(
        images=[File(str(file)) for file, _ in files],
        labels=[label for _, label in files],
        class_names=names,
        keys=[file.relative_to(folder).as_posix() for file, _ in files],
    )
