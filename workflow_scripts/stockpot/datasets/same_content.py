"""Files with new dates and the same content count as the files that they were.

Planning knows the files of a data set by name, size and date, as it may not read a hundred
gigabytes at every start. When a set has been prepared, the content of each of its files is noted.
If dates change later, those files are read. If all have the content that was noted, the listing
counts as the one that the set was prepared from, and nothing is made again.
"""

import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..runtime.digest import sha256_file, short
from ..runtime.errors import StockpotError
from ..runtime.file_digests import SETTLED
from ..runtime.sealed import unsealed, write_sealed

NOTES = Path("results/.listings")
log = logging.getLogger("stockpot")


@dataclass(frozen=True)
class Listed:
    """A file of a listing.

    Attributes:
        name: Its path relative to the folder of the listing.
        path: Where it is.
        size: In bytes.
        time: Of its last modification, in nanoseconds.
    """

    name: str
    path: str
    size: int
    time: int


@dataclass(frozen=True)
class Listing:
    """The files that a data set was made from.

    Attributes:
        place: What was listed.
        files: The files.
        counted: The digest that the listing counts as.
        digest: Its own.
    """

    place: str
    files: list[Listed]
    counted: str
    digest: str


_collected: list[Listing] | None = None


def listed(name: str, path: str | Path, stat: os.stat_result) -> Listed:
    """A file and what its state says of it."""
    return Listed(name, str(path), stat.st_size, stat.st_mtime_ns)


def counted_digest(place: str | Path, files: list[Listed], digest: str) -> str:
    """The digest that a listing counts as.

    Args:
        place: What was listed; listings of one place are compared.
        files: The files.
        digest: Of their names, sizes and dates.

    Returns:
        The digest of the listing that a data set was prepared from, if only dates differ from it;
        else ``digest``.
    """
    files = list({file.name: file for file in files}.values())
    # Parts of one folder have notes of their own; a working folder may be moved with its data.
    here = os.path.relpath(place)
    outside = here.startswith(os.pardir)
    key = short(
        [os.path.abspath(place) if outside else here, sorted(f.name for f in files)]
    )
    counted = _counted(key, files, digest)
    if _collected is not None:
        _collected.append(Listing(key, files, counted, digest))
    return counted


@contextmanager
def collecting() -> Iterator[list[Listing]]:
    """Collect the listings whose digests are asked for inside the block."""
    global _collected
    before, _collected = _collected, []
    try:
        yield _collected
    finally:
        _collected = before


def note_contents(listings: list[Listing], threads: int = 1) -> None:
    """Note the content of every file of some listings.

    Files that cannot be read any more, or a disk that is full, cost this note only.

    Args:
        listings: Of files that have just been read.
        threads: How many files to read at once.
    """
    for listing in listings:
        if _is_noted(listing):
            continue  # by another part of the same folder
        with suppress(OSError, StockpotError):
            _note(listing, threads)


def _note(listing: Listing, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        digests = list(pool.map(sha256_file, [file.path for file in listing.files]))
    # A file that was written meanwhile has another content than the one that was prepared.
    if not all(map(_is_unchanged, listing.files)):
        return
    files = {
        file.name: [file.size, file.time, digest]
        for file, digest in zip(listing.files, digests, strict=True)
    }
    same = [] if listing.digest == listing.counted else [listing.digest]
    contents = {"digest": listing.counted, "files": files}
    write_sealed(_contents_file(listing.place), contents, indent=None)
    write_sealed(_note_file(listing.place), {"digest": listing.counted, "same": same})


def _is_unchanged(file: Listed) -> bool:
    """Has a file its old state, which it has had for longer than a clock of a file system ticks?"""
    state = os.stat(file.path)
    last_change = max(state.st_mtime_ns, state.st_ctime_ns)
    settled = last_change < time.time_ns() - SETTLED
    return settled and (state.st_size, state.st_mtime_ns) == (file.size, file.time)


def _is_noted(listing: Listing) -> bool:
    note = _read(_note_file(listing.place))
    if note is None or note["digest"] != listing.counted:
        return False
    known = (listing.counted, *note["same"])
    return listing.digest in known and _contents_file(listing.place).exists()


def _counted(key: str, files: list[Listed], digest: str) -> str:
    note = _read(_note_file(key))
    if note is None or digest == note["digest"]:
        return digest
    if digest in note["same"]:
        return note["digest"]
    contents = _read(_contents_file(key))
    if contents is None or contents["digest"] != note["digest"]:
        return digest
    if not _same_contents(files, contents["files"]):
        return digest
    log.info(
        "%d files have the content that was prepared, with other dates", len(files)
    )
    with suppress(OSError, StockpotError):
        write_sealed(_note_file(key), {**note, "same": [*note["same"], digest]})
    return note["digest"]


def _same_contents(files: list[Listed], contents: dict) -> bool:
    """Are these the files whose contents were noted? Only those with other dates are read."""
    if sorted(file.name for file in files) != sorted(contents):
        return False
    if any(file.size != contents[file.name][0] for file in files):
        return False
    redated = [file for file in files if file.time != contents[file.name][1]]
    return all(sha256_file(file.path) == contents[file.name][2] for file in redated)


def _note_file(key: str) -> Path:
    return NOTES / f"{key}.json"


def _contents_file(key: str) -> Path:
    return NOTES / f"{key}-contents.json"


def _read(file: Path) -> dict | None:
    try:
        return unsealed(file.read_bytes(), file)
    except (OSError, ValueError):
        return None
