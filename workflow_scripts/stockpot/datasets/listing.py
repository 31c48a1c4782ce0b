"""Which files lie in a folder, and has it changed? Answered without reading them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..runtime.digest import short
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .same_content import counted_digest, listed


def class_folders(folder: Path) -> list[str]:
    """Names of the sub-folders, one per class; hidden ones are none."""
    return sorted(
        p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")
    )


def files_below(folder: Path) -> list[Path]:
    """Every file below a folder, through links too, sorted; hidden ones are none.

    A folder that links lead to more than once is entered once. Raises StockpotError for what is
    neither a file nor a folder, such as a pipe.
    """
    return sorted(
        Path(path) for path, hidden in _walk(str(folder), set()) if not hidden
    )


def every_file(folder: Path) -> list[str]:
    """As ``files_below``, with the hidden ones; of a hidden folder its name alone, with a /."""
    return sorted(path for path, _ in _walk(str(folder), set()))


def _walk(folder: str, entered: set[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """(path, is it hidden?) of every file. entered: device and inode of the folders so far."""
    stat = os.stat(folder)
    identity = (stat.st_dev, stat.st_ino)
    if identity in entered:
        return
    entered.add(identity)
    with os.scandir(folder) as listed:
        entries = sorted(listed, key=lambda entry: entry.name)
    for entry in entries:
        hidden = entry.name.startswith(".")
        if entry.is_dir():
            if hidden:
                yield f"{entry.path}/", True
            else:
                yield from _walk(entry.path, entered)
            continue
        if not entry.is_file() and os.path.exists(entry.path):
            raise StockpotError(
                f"{one_line(entry.path, 300)}: is a pipe, a socket or a device, not a file; move "
                "it away"
            )
        yield entry.path, hidden


def listing_digest(
    folder: Path, key: str, counts: Callable[[str], bool] | None = None
) -> str:
    """Digest of relative path, size and modification time of every file below a folder.

    Where only dates changed since a data set was prepared, that of the files as they were then.

    counts: Does a file of this path below the folder count? By default all do. Raises
    StockpotError naming the config's ``key`` where there is no such folder, or a link
    in it leads nowhere.
    """
    if not folder.is_dir():
        raise StockpotError(
            f"{key}: no folder {folder}; it holds one sub-folder of images per class"
        )
    try:
        found = [(str(path.relative_to(folder)), path) for path in files_below(folder)]
        found = [
            (name, path.stat())
            for name, path in found
            if counts is None or counts(name)
        ]
    except OSError as error:
        raise StockpotError(
            f"{key}: cannot read {one_line(error.filename, 300)} ({error.strerror})"
        ) from error
    digest = short([[name, stat.st_size, stat.st_mtime_ns] for name, stat in found])
    files = [listed(name, folder / name, stat) for name, stat in found]
    return counted_digest(folder, files, digest)
