"""A list of the held-out images of a split, as somebody else has drawn them.

It names files, or counts images from 0 in the order of the source (of folders: sorted by class,
then by file name, as torchvision's ImageFolder, so that numbers are refused where that counts in
another way):

- ``.txt``: a file or a number per line;
- ``.csv``: a column ``file`` or ``index`` below a header;
- ``.json``: a list of files or of numbers;
- ``.npy``: numbers, or one 0 or 1 per image of the source, where 1 is held out.

Lists come from others, so each is read in a process of its own with limits, and a ``.npy`` never
unpickles anything.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular, read_text
from .bounded import bounded

# Names of JPEG files that torchvision's ImageFolder does not list.
NOT_IN_TORCHVISION = (".jpe", ".jfif", ".jfi", ".jif")
KINDS = (".txt", ".csv", ".json", ".npy")


class Listed(NamedTuple):
    """files: names of files, or () where numbers are given. numbers: places in the source. mask:
    how many images the source must have, where each has its 0 or 1; else 0."""

    files: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    mask: int = 0

    def __len__(self) -> int:
        return len(self.files) + len(self.numbers)


def list_facts(path: Path, key: str) -> dict[str, str]:
    """Where a list is, and a digest of its content.

    Args:
        path: The file.
        key: Key of the config that names it.

    Raises:
        StockpotError: The file is missing, none of the kinds above, or empty.
    """
    read_list(path, key)
    with open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "sha256": digest}


def read_list(path: str | Path, key: str) -> Listed:
    """The list that a file holds.

    Args:
        path: The file.
        key: Key of the config that names it; errors begin with it.

    Raises:
        StockpotError: The file is missing, none of the kinds above, empty, or it names an image
            twice.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise StockpotError(
            f"{key}: cannot read {one_line(path, 200)} ({error.strerror})"
        ) from error
    return _remembered(path, status.st_size, status.st_mtime_ns, key)


@cache
def _remembered(path: Path, size: int, time: int, key: str) -> Listed:
    name = one_line(path, 200)
    if path.suffix.lower() not in KINDS:
        raise StockpotError(
            f"{key}: {name} is none of {', '.join(KINDS)}; a list names files, or counts images"
        )
    try:
        found = bounded(_read, path, key, what=key)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        reason = one_line(f"{type(error).__name__}: {error}", 150)
        raise StockpotError(
            f"{key}: {name} cannot be read as a list ({reason})"
        ) from error
    entries = found.files or found.numbers
    if not entries:
        raise StockpotError(f"{key}: {name} names no image")
    if len(set(entries)) < len(entries):
        twice, _ = Counter(entries).most_common(1)[0]
        raise StockpotError(f"{key}: {name} names {one_line(twice, 60)} twice")
    return found


def _read(path: Path, key: str) -> Listed:
    kind = path.suffix.lower()
    if kind == ".npy":
        return _read_npy(path)
    text = read_text(path, key)
    if kind == ".txt":
        entries = [line.strip() for line in text.splitlines() if line.strip()]
    elif kind == ".csv":
        entries = _read_csv(text)
    else:
        entries = json.loads(text)
        if not isinstance(entries, list):
            raise ValueError("it is no list")
    return _listed(entries)


def _read_csv(text: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip() for name in next(rows, [])]
    known = [name for name in ("file", "index") if name in header]
    if len(known) != 1:
        raise ValueError("its header has no column 'file' or 'index', or both")
    column = header.index(known[0])
    entries = []
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise ValueError(
                f"line {rows.line_num} has {len(row)} fields, not {len(header)}"
            )
        entries.append(row[column].strip())
    return entries


def _listed(entries: list) -> Listed:
    """Numbers, if all are; else names."""
    if all(isinstance(entry, int) and not isinstance(entry, bool) for entry in entries):
        return Listed(numbers=tuple(_checked(entry) for entry in entries))
    for entry in entries:
        if not isinstance(entry, str) or not entry:
            raise ValueError(
                f"{entry!r} is neither the name of a file nor a number, as others are"
            )
    if all(
        entry.isascii() and entry.isdecimal() and len(entry) < 19 for entry in entries
    ):
        return Listed(numbers=tuple(int(entry) for entry in entries))
    return Listed(files=tuple(entries))


def _read_npy(path: Path) -> Listed:
    import numpy as np

    with open_regular(path) as file:
        try:
            array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError) as error:  # whose texts advise to unpickle it
            raise ValueError(
                "it holds no array of numbers, or not all of it"
            ) from error
    if (
        not isinstance(array, np.ndarray)
        or array.ndim != 1
        or array.dtype.kind not in "biuf"
    ):
        raise ValueError("it is no array of numbers with one axis")
    numbers = array.astype(np.int64)
    if (numbers != array).any():
        raise ValueError("its numbers are not whole")
    # More than two numbers that are all 0 or 1 name no image twice only as a mask.
    if array.dtype.kind == "b" or (len(array) > 2 and np.isin(numbers, (0, 1)).all()):
        return Listed(
            numbers=tuple(np.flatnonzero(numbers).tolist()), mask=len(numbers)
        )
    return Listed(numbers=tuple(_checked(number) for number in numbers.tolist()))


def _checked(number: int) -> int:
    if number < 0:
        raise ValueError(f"{number} counts no image; the first is 0")
    return number


def require_order_of_torchvision(listed: Listed, images: list[str], key: str) -> None:
    """Refuse numbers that may count other images than torchvision's ImageFolder does.

    Args:
        listed: The list.
        images: Paths of all images below the folder of classes.
        key: Key of the config that names the list; errors begin with it.

    Raises:
        StockpotError: The list has numbers, and there are folders below those of the classes, or
            images that torchvision does not list.
    """
    if not listed.numbers:
        return
    for image in images:
        is_below = image.count("/") > 1
        if is_below or image.lower().endswith(NOT_IN_TORCHVISION):
            why = (
                "lies below a folder of a class" if is_below else "is not listed by it"
            )
            raise StockpotError(
                f"{key}: its numbers count images as torchvision's ImageFolder does, but "
                f"{one_line(image, 100)} {why}, so that they may mean others here; name the files"
            )


def rows_of(listed: Listed, keys: list[str], key: str) -> list[int]:
    """Places of the listed images among all images of the source.

    Args:
        listed: The list.
        keys: A name per image: its path below the folder of the source.
        key: Key of the config that names the list; errors begin with it.

    Returns:
        The places, rising.

    Raises:
        StockpotError: The list names an image that is not there, or the same one in two ways.
    """
    if listed.mask and listed.mask != len(keys):
        raise StockpotError(
            f"{key}: it has a 0 or 1 for each of {listed.mask:,} images, but there are "
            f"{len(keys):,}; it is of another set, or images are missing"
        )
    if listed.numbers:
        largest = max(listed.numbers)
        if largest >= len(keys):
            raise StockpotError(
                f"{key}: it names image {largest:,}, but there are {len(keys):,}, counted from 0"
            )
        return sorted(listed.numbers)
    rows = _rows_of_files(listed.files, keys, key)
    if len(set(rows)) < len(rows):
        raise StockpotError(
            f"{key}: it names {len(rows) - len(set(rows))} images in two ways"
        )
    return sorted(rows)


def _rows_of_files(files: tuple[str, ...], keys: list[str], key: str) -> list[int]:
    """A file is found by its path, also below further folders, or by its name where one has it."""
    places = {name: row for row, name in enumerate(keys)}
    by_name: dict[str, int | None] = {}
    for row, path in enumerate(keys):
        name = path.rpartition("/")[2]
        by_name[name] = None if name in by_name else row
    rows, missing = [], []
    for file in files:
        row = _place(file, places, by_name)
        if row is None:
            missing.append(file)
        else:
            rows.append(row)
    if missing:
        raise StockpotError(
            f"{key}: {len(missing):,} of its {len(files):,} files are not in this source, or not "
            f"one alone, as {one_line(missing[0], 100)}; names here are as {one_line(keys[0], 100)}"
        )
    return rows


def _place(
    file: str, places: dict[str, int], by_name: dict[str, int | None]
) -> int | None:
    rest = file.removeprefix("./")
    while rest:
        if rest in places:
            return places[rest]
        if "/" not in rest:
            return by_name.get(rest)
        rest = rest.partition("/")[2]
    return None
