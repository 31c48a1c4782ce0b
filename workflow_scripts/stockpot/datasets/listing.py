"""Has a folder of files changed? Answered from names, sizes and times, without reading them."""

import os
from collections.abc import Iterator
from pathlib import Path

from ..digest import short
from ..errors import StockpotError


def class_folders(folder: Path) -> list[str]:
    """Names of the sub-folders, one per class; hidden ones are none."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, through links too, sorted; hidden ones are none.

    A link back up is not followed.
    """
    return sorted(_walk(folder, frozenset()))


def _walk(folder: Path, above: frozenset) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real not in above:
        for entry in os.scandir(folder):
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from _walk(Path(entry.path), above | {real})
            else:
                yield Path(entry.path)


def listing_digest(folder: Path, key: str) -> str:
    """Digest of relative path, size and modification time of every file below a folder.

    Raises StockpotError naming the config's ``key`` where there is no such folder, or a link
    in it leads nowhere.
    """
    if not folder.is_dir():
        raise StockpotError(
            f"{key}: no folder {folder}; it holds one sub-folder of images per class"
        )
    try:
        found = [(path, path.stat()) for path in files_below(folder)]
    except OSError as error:
        raise StockpotError(f"{key}: cannot read {error.filename} ({error.strerror})") from error
    return short([[str(p.relative_to(folder)), s.st_size, s.st_mtime_ns] for p, s in found])
