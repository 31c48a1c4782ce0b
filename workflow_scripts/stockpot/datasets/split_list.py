"""Read a list of the held-out images of a split, as somebody else has drawn them.

It names files, or counts images from 0 in the order of the source. In folders that is the order of
torchvision's ImageFolder: sorted by class, then by file name. Numbers are refused where ImageFolder
counts in another way. The kinds of files:

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
from typing import Any, NamedTuple

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular, read_text
from .bounded import bounded

# Names of JPEG files that torchvision's ImageFolder does not list.
NOT_IN_TORCHVISION = (".jpe", ".jfif", ".jfi", ".jif")
KINDS = (".txt", ".csv", ".json", ".npy")
# Longer numbers in text are names of files; 18 digits always fit in 64 bits.
MAX_DIGITS = 18
# Kinds of NumPy types that hold numbers: bool, signed, unsigned, floating point.
NUMBER_TYPES = "biuf"


class HeldOutList(NamedTuple):
    """The images that a list names.

    Attributes:
        files: Names of files, or () where the list has numbers.
        numbers: Rows of the source, or () where the list names files.
        mask: How many images the source must have, where the list has a 0 or 1 for each; else 0.
    """

    files: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    mask: int = 0

    def __len__(self) -> int:
        return len(self.files) + len(self.numbers)


def list_facts(path: Path, key: str) -> dict[str, str]:
    """Say where a list is and what identifies its content.

    Args:
        path: The file.
        key: Key of the config that names it; errors begin with it.

    Returns:
        The path, and the SHA-256 of the content.

    Raises:
        StockpotError: See ``read_list``.
    """
    # A list that cannot be used is an error when the study is planned.
    read_list(path, key)
    with open_regular(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"path": str(path), "sha256": digest}


def read_list(path: str | Path, key: str) -> HeldOutList:
    """Read the list that a file holds.

    Args:
        path: The file.
        key: Key of the config that names it; errors begin with it.

    Returns:
        The list, not yet compared with the images of the source.

    Raises:
        StockpotError: The file is missing, none of the kinds above, empty, or it names an image
            twice.
    """
    path = Path(path)
    try:
        stat = path.stat()
    except OSError as error:
        raise StockpotError(
            f"{key}: cannot read {one_line(path, 200)} ({error.strerror})"
        ) from error
    return _read_once(path, stat.st_size, stat.st_mtime_ns, key)


@cache
def _read_once(
    path: Path,
    size: int,
    time: int,
    key: str,
) -> HeldOutList:
    """Read a list; size and time are keys of the cache, so that a changed file is read again."""
    shown_path = one_line(path, 200)
    if path.suffix.lower() not in KINDS:
        raise StockpotError(
            f"{key}: {shown_path} is none of {', '.join(KINDS)}; a list names files, or counts "
            "images"
        )
    try:
        listed = bounded(_read, path, key, what=key)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        reason = one_line(f"{type(error).__name__}: {error}", 150)
        raise StockpotError(
            f"{key}: {shown_path} cannot be read as a list ({reason})"
        ) from error
    entries = listed.files or listed.numbers
    if not entries:
        raise StockpotError(f"{key}: {shown_path} names no image")
    if len(set(entries)) < len(entries):
        twice, _ = Counter(entries).most_common(1)[0]
        raise StockpotError(f"{key}: {shown_path} names {one_line(twice, 60)} twice")
    return listed


def _read(path: Path, key: str) -> HeldOutList:
    """Read a list in this process; ValueError says what is wrong with it."""
    kind = path.suffix.lower()
    if kind == ".npy":
        return _read_npy(path)
    text = read_text(path, key)
    if kind == ".txt":
        return _from_entries(_read_txt(text))
    if kind == ".csv":
        return _from_entries(_read_csv(text))
    entries = json.loads(text)
    if not isinstance(entries, list):
        raise ValueError("it is no list")
    return _from_entries(entries)


def _read_txt(text: str) -> list[str]:
    entries = [line.strip() for line in text.splitlines()]
    return [entry for entry in entries if entry]


def _read_csv(text: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    # The first row names the columns.
    header = [name.strip() for name in next(rows, [])]
    columns = [name for name in ("file", "index") if name in header]
    if len(columns) != 1:
        raise ValueError("its header has no column 'file' or 'index', or both")
    position = header.index(columns[0])
    entries = []
    for row in rows:
        if not row:
            continue
        if len(row) != len(header):
            raise ValueError(
                f"line {rows.line_num} has {len(row)} fields, not {len(header)}"
            )
        entries.append(row[position].strip())
    return entries


def _from_entries(entries: list[Any]) -> HeldOutList:
    """Make a list of numbers, if all entries are numbers; else a list of names."""
    # In Python True and False are integers too.
    if all(isinstance(entry, int) and not isinstance(entry, bool) for entry in entries):
        return _from_numbers(entries)
    for entry in entries:
        if not isinstance(entry, str) or not entry:
            raise ValueError(
                f"{entry!r} is neither the name of a file nor a number, as others are"
            )
    if all(_is_number(entry) for entry in entries):
        return HeldOutList(numbers=tuple(int(entry) for entry in entries))
    return HeldOutList(files=tuple(entries))


def _is_number(entry: str) -> bool:
    return entry.isascii() and entry.isdecimal() and len(entry) <= MAX_DIGITS


def _read_npy(path: Path) -> HeldOutList:
    import numpy as np

    with open_regular(path) as file:
        try:
            array = np.load(file, allow_pickle=False)
        # The texts of these errors advise to unpickle the file, so they are not shown.
        except (ValueError, EOFError) as error:
            raise ValueError(
                "it holds no array of numbers, or not all of it"
            ) from error
    # An archive of arrays (.npz) under another name is loaded as something else than an array.
    is_array = isinstance(array, np.ndarray)
    if not is_array or array.ndim != 1 or array.dtype.kind not in NUMBER_TYPES:
        raise ValueError("it is no array of numbers with one axis")
    numbers = array.astype(np.int64)
    if (numbers != array).any():
        raise ValueError("its numbers are not whole")
    # More than two numbers that are all 0 or 1 would name an image twice. So they are a mask.
    is_binary = len(array) > 2 and np.isin(numbers, (0, 1)).all()
    if array.dtype.kind == "b" or is_binary:
        rows = np.flatnonzero(numbers).tolist()
        return HeldOutList(numbers=tuple(rows), mask=len(numbers))
    return _from_numbers(numbers.tolist())


def _from_numbers(numbers: list[int]) -> HeldOutList:
    for number in numbers:
        if number < 0:
            raise ValueError(f"{number} counts no image; the first is 0")
    return HeldOutList(numbers=tuple(numbers))


def require_order_of_torchvision(
    listed: HeldOutList,
    images: list[str],
    key: str,
) -> None:
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
        if image.count("/") > 1:
            reason = "lies below a folder of a class"
        elif image.lower().endswith(NOT_IN_TORCHVISION):
            reason = "is not listed by it"
        else:
            continue
        raise StockpotError(
            f"{key}: its numbers count images as torchvision's ImageFolder does, but "
            f"{one_line(image, 100)} {reason}, so the numbers may mean other images here; name "
            "the files"
        )


def rows_of(
    listed: HeldOutList,
    keys: list[str],
    key: str,
) -> list[int]:
    """Find the listed images among all images of the source.

    Args:
        listed: The list.
        keys: A name per image: its path below the folder of the source.
        key: Key of the config that names the list; errors begin with it.

    Returns:
        Rows of the images, rising.

    Raises:
        StockpotError: The list names an image that is not there, or the same one in two ways.
    """
    image_count = len(keys)
    if listed.mask and listed.mask != image_count:
        raise StockpotError(
            f"{key}: it has a 0 or 1 for each of {listed.mask:,} images, but there are "
            f"{image_count:,}; it is of another set, or images are missing"
        )
    if listed.numbers:
        largest = max(listed.numbers)
        if largest >= image_count:
            raise StockpotError(
                f"{key}: it names image {largest:,}, but there are {image_count:,}, counted from 0"
            )
        return sorted(listed.numbers)
    # A file may be named by its path and by its name.
    rows = _rows_of_files(listed.files, keys, key)
    repeated_count = len(rows) - len(set(rows))
    if repeated_count:
        raise StockpotError(f"{key}: it names {repeated_count} images in two ways")
    return sorted(rows)


def _rows_of_files(
    files: tuple[str, ...],
    keys: list[str],
    key: str,
) -> list[int]:
    """Find files by their paths; see ``_row_of_file``."""
    row_of_path = {path: row for row, path in enumerate(keys)}
    # None stands for a name that several images have.
    row_of_name: dict[str, int | None] = {}
    for row, path in enumerate(keys):
        name = path.rpartition("/")[2]
        row_of_name[name] = None if name in row_of_name else row
    rows = []
    missing = []
    for file in files:
        row = _row_of_file(file, row_of_path, row_of_name)
        if row is None:
            missing.append(file)
        else:
            rows.append(row)
    if missing:
        raise StockpotError(
            f"{key}: {len(missing):,} of its {len(files):,} entries match no file of this "
            f"source, or several files, as {one_line(missing[0], 100)}; files here have names "
            f"such as {one_line(keys[0], 100)}"
        )
    return rows


def _row_of_file(
    file: str,
    row_of_path: dict[str, int],
    row_of_name: dict[str, int | None],
) -> int | None:
    """Find a file by its path, also below further folders; or by its name if only one has it."""
    remainder = file.removeprefix("./")
    while remainder:
        if remainder in row_of_path:
            return row_of_path[remainder]
        if "/" not in remainder:
            return row_of_name.get(remainder)
        # Lists may name folders above that of the source, so the first folder is dropped.
        remainder = remainder.partition("/")[2]
    return None
