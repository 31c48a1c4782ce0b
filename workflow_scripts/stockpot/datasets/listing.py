"""Has a folder of files changed? Answered from names, sizes and times, without reading them."""

import os
from pathlib import Path

from ..digest import short
from ..errors import StockpotError


def class_folders(folder: Path) -> list[str]:
    """Names of the sub-folders, one per class; hidden ones are none."""
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def listing_digest(folder: Path, key: str) -> str:
    """Digest of relative path, size and modification time of every file below a folder.

    Raises StockpotError naming the config's ``key`` where there is no such folder.
    """
    if not folder.is_dir():
        raise StockpotError(
            f"{key}: no folder {folder}; it holds one sub-folder of images per class"
        )
    entries = []
    for parent, _, files in os.walk(folder):
        for name in files:
            stat = os.stat(os.path.join(parent, name))
            path = os.path.relpath(os.path.join(parent, name), folder)
            entries.append([path, stat.st_size, stat.st_mtime_ns])
    return short(sorted(entries))
