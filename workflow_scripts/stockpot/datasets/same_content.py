"""Let files with new dates and the same content count as the files that they were.

Planning knows the files of a data set by name, size and date, as it may not read a hundred
gigabytes at every start. When a data set has been prepared, the content of each of its files is
noted. If dates change later, those files are read. If all have the content that was noted, the
listing counts as the one that the data set was prepared from, and nothing is made again.

Each listing has two files in ``NOTES``: a short one with the digests that count as one, which each
planning reads, and a long one with the size, date and SHA-256 of every file.
"""

import logging
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..runtime.digest import sha256_file, short
from ..runtime.errors import StockpotError
from ..runtime.file_digests import SETTLED
from ..runtime.sealed import unsealed, write_sealed

NOTES = Path("results/.listings")
log = logging.getLogger("stockpot")


@dataclass(frozen=True)
class ListedFile:
    """A file of a listing.

    Attributes:
        name: Path relative to the folder of the listing.
        path: Where the file is.
        size: Size in bytes.
        time: Time of the last modification in nanoseconds.
    """

    name: str
    path: str
    size: int
    time: int


@dataclass(frozen=True)
class Listing:
    """The files that a data set was made from.

    Attributes:
        key: Digest of the listed folder and of the names of the files, which names the notes.
        files: The files.
        counted: The digest that the listing counts as.
        digest: The digest of its names, sizes and dates.
    """

    key: str
    files: list[ListedFile]
    counted: str
    digest: str


# Where ``collecting_listings`` collects listings; None outside of it.
_collected: list[Listing] | None = None


def listed_file(
    name: str,
    path: str | Path,
    stat: os.stat_result,
) -> ListedFile:
    """Describe a file of a listing.

    Args:
        name: Path relative to the folder of the listing.
        path: Where the file is.
        stat: State of the file.

    Returns:
        The file with its size and date.
    """
    return ListedFile(
        name,
        str(path),
        stat.st_size,
        stat.st_mtime_ns,
    )


def counted_digest(
    listed_path: str | Path,
    files: list[ListedFile],
    digest: str,
) -> str:
    """Return the digest that a listing counts as.

    Args:
        listed_path: The folder or file that was listed.
        files: The files of the listing.
        digest: Digest of their names, sizes and dates.

    Returns:
        The digest of the listing that a data set was prepared from, if this one differs from it in
        dates only; else ``digest``.
    """
    # A table may name a file twice; it counts once.
    unique_files = list({file.name: file for file in files}.values())
    key = _listing_key(listed_path, unique_files)
    counted = _counted(key, unique_files, digest)
    if _collected is not None:
        _collected.append(Listing(key, unique_files, counted, digest))
    return counted


def _listing_key(listed_path: str | Path, files: list[ListedFile]) -> str:
    """Identify a listing by what was listed and the names of its files.

    With the names, several splits of one folder have notes of their own. With a relative path, a
    working folder may be moved together with its data.
    """
    path = os.path.relpath(listed_path)
    if path.startswith(os.pardir):
        path = os.path.abspath(listed_path)
    return short([path, sorted(file.name for file in files)])


@contextmanager
def collecting_listings() -> Iterator[list[Listing]]:
    """Collect the listings whose digests are asked for inside the block.

    Yields:
        A list that grows.
    """
    global _collected
    before = _collected
    _collected = []
    try:
        yield _collected
    finally:
        _collected = before


def note_contents(listings: list[Listing], threads: int = 1) -> None:
    """Note the content of every file of some listings.

    If files cannot be read any more, or the disk is full, only this note is lost.

    Args:
        listings: Listings of files that have just been read.
        threads: How many files to read at once.
    """
    for listing in listings:
        # Another split of the same folder may have noted it.
        if _is_noted(listing):
            continue
        with suppress(OSError, StockpotError):
            _note(listing, threads)


def _note(listing: Listing, threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        digests = list(pool.map(sha256_file, [file.path for file in listing.files]))
    # A file that was written meanwhile has another content than the one that was prepared.
    if not all(map(_is_unchanged, listing.files)):
        return
    files = {}
    for file, digest in zip(listing.files, digests, strict=True):
        files[file.name] = [file.size, file.time, digest]
    same = []
    if listing.digest != listing.counted:
        same.append(listing.digest)
    contents = {"digest": listing.counted, "files": files}
    # The short file is written last, so that it never promises contents that are not there.
    write_sealed(_contents_file(listing.key), contents, indent=None)
    write_sealed(_note_file(listing.key), {"digest": listing.counted, "same": same})


def _is_unchanged(file: ListedFile) -> bool:
    """Has a file still the size and date of the listing, and is that date reliable?

    Clocks of file systems tick in steps. A file that was changed within the last step may change
    again without a new date.
    """
    stat = os.stat(file.path)
    last_change = max(stat.st_mtime_ns, stat.st_ctime_ns)
    is_settled = last_change < time.time_ns() - SETTLED
    return is_settled and (stat.st_size, stat.st_mtime_ns) == (file.size, file.time)


def _is_noted(listing: Listing) -> bool:
    note = _read(_note_file(listing.key))
    if note is None or note["digest"] != listing.counted:
        return False
    # A listing with new dates must be known too, or its files would be read again.
    known = (listing.counted, *note["same"])
    return listing.digest in known and _contents_file(listing.key).exists()


def _counted(
    key: str,
    files: list[ListedFile],
    digest: str,
) -> str:
    """The digest that a listing counts as; reads files whose dates are new."""
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
        "%d files have other dates than the prepared ones, and the same content",
        len(files),
    )
    # The next planning knows these dates and reads no file.
    extended = {**note, "same": [*note["same"], digest]}
    with suppress(OSError, StockpotError):
        write_sealed(_note_file(key), extended)
    return note["digest"]


def _same_contents(files: list[ListedFile], contents: dict[str, list[Any]]) -> bool:
    """Have the files the contents that were noted? Only files with other dates are read.

    ``contents`` maps the name of a file to its size, date and SHA-256.
    """
    # Reading is slow, so names and sizes are compared first.
    if sorted(file.name for file in files) != sorted(contents):
        return False
    redated = []
    for file in files:
        size, modified, _ = contents[file.name]
        if file.size != size:
            return False
        if file.time != modified:
            redated.append(file)
    for file in redated:
        _, _, noted_digest = contents[file.name]
        if sha256_file(file.path) != noted_digest:
            return False
    return True


def _note_file(key: str) -> Path:
    return NOTES / f"{key}.json"


def _contents_file(key: str) -> Path:
    return NOTES / f"{key}-contents.json"


def _read(file: Path) -> dict[str, Any] | None:
    """Content of a note; None where it is missing or damaged."""
    try:
        return unsealed(file.read_bytes(), file)
    except (OSError, ValueError):
        return None
