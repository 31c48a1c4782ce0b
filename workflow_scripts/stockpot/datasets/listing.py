"""Which files lie in a folder, and have they changed? Answered without reading them."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ..runtime.digest import short
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from .same_content import counted_digest, listed_file


def class_folders(folder: Path) -> list[str]:
    """List the sub-folders of a folder that has one per class.

    Args:
        folder: A folder that exists.

    Returns:
        Their names, sorted, without hidden ones.
    """
    names = []
    for path in folder.iterdir():
        if path.is_dir() and not path.name.startswith("."):
            names.append(path.name)
    return sorted(names)


def files_below(folder: Path) -> list[Path]:
    """List every file below a folder, also those that links lead to.

    A folder that links lead to more than once is entered once.

    Args:
        folder: A folder that exists.

    Returns:
        Paths, sorted, without hidden files and folders.

    Raises:
        StockpotError: Something is neither a file nor a folder, such as a pipe.
    """
    entries = _walk(str(folder), set())
    return sorted(Path(path) for path, is_hidden in entries if not is_hidden)


def every_file(folder: Path) -> list[str]:
    """List every file below a folder, with the hidden ones.

    Args:
        folder: A folder that exists.

    Returns:
        Paths, sorted. A hidden folder is not entered; its path ends with "/".

    Raises:
        StockpotError: Something is neither a file nor a folder, such as a pipe.
    """
    return sorted(path for path, _ in _walk(str(folder), set()))


def _walk(folder: str, entered: set[tuple[int, int]]) -> Iterator[tuple[str, bool]]:
    """Yield (path, is it hidden?) of every file.

    ``entered`` holds device and inode of the folders that were entered so far; so links cannot
    lead in circles.
    """
    stat = os.stat(folder)
    identity = (stat.st_dev, stat.st_ino)
    if identity in entered:
        return
    entered.add(identity)
    with os.scandir(folder) as scanned:
        entries = sorted(scanned, key=lambda entry: entry.name)
    for entry in entries:
        is_hidden = entry.name.startswith(".")
        if entry.is_dir():
            if is_hidden:
                yield f"{entry.path}/", True
            else:
                yield from _walk(entry.path, entered)
            continue
        # A link that leads nowhere is left to the caller, who finds that it cannot be read.
        if not entry.is_file() and os.path.exists(entry.path):
            raise StockpotError(
                f"{one_line(entry.path, 300)}: is a pipe, a socket or a device, not a file; move "
                "it away"
            )
        yield entry.path, is_hidden


def listing_digest(
    folder: Path,
    key: str,
    counts: Callable[[str], bool] | None = None,
) -> str:
    """Compute a digest of the path, size and modification time of every file below a folder.

    Args:
        folder: The folder.
        key: Key of the config that names it; errors begin with it.
        counts: Tells whether a file counts, from its path below the folder. By default all do.

    Returns:
        The digest. Where only dates have changed since a data set was prepared from the folder, it
        is the digest of that time.

    Raises:
        StockpotError: There is no such folder, or a link in it leads nowhere.
    """
    if not folder.is_dir():
        raise StockpotError(
            f"{key}: no folder {folder}; it holds one sub-folder of images per class"
        )
    try:
        stats = _file_stats(folder, counts)
    except OSError as error:
        raise StockpotError(
            f"{key}: cannot read {one_line(error.filename, 300)} ({error.strerror})"
        ) from error
    # The content of a file is not read; it may be a hundred gigabytes.
    rows = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    files = [listed_file(name, folder / name, stat) for name, stat in stats]
    return counted_digest(folder, files, short(rows))


def _file_stats(
    folder: Path, counts: Callable[[str], bool] | None
) -> list[tuple[str, os.stat_result]]:
    """Path below the folder and state of every file that counts."""
    stats = []
    for path in files_below(folder):
        name = str(path.relative_to(folder))
        if counts is None or counts(name):
            stats.append((name, path.stat()))
    return stats
