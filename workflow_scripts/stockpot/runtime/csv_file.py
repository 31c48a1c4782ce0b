"""Read columns of a CSV file that somebody wrote by hand or with a spreadsheet, and be strict.

A quote that is never closed makes one field of all rows below it. So nothing is guessed: what is
not a plain table is refused, with the line where the row begins.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import StockpotError
from .escape import one_line
from .regular_files import open_regular

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_columns(path: Path, columns: Mapping[str, str]) -> list[tuple[int, list[str]]]:
    """Read some columns of every row.

    Args:
        path: A CSV file in UTF-8 with a header; columns are separated by commas.
        columns: Wanted column -> hint for the case that it is missing, or "".

    Returns:
        Per row the number of the line where it begins, and the stripped values of the columns in
        their order; "" where the row is too short.

    Raises:
        StockpotError: The file cannot be read, is not UTF-8, lacks a column, or has a row that is
            not well formed. One line with the file and the line in it.
    """
    shown = one_line(path, 200)
    records = _records(shown, _decoded(shown, _content(path, shown)))
    _, header = next(records, (0, []))
    header = [name.strip() for name in header]
    places = [_place(shown, header, name, hint) for name, hint in columns.items()]
    rows = []
    for line, fields in records:
        if not fields:
            continue
        surplus = [field for field in fields[len(header) :] if field.strip()]
        if surplus:
            raise StockpotError(
                f"{shown}, line {line}: {len(fields)} fields, but the header has {len(header)}; a "
                "field with a comma in it stands between quotes"
            )
        values = [fields[place].strip() if place < len(fields) else "" for place in places]
        rows.append((line, values))
    return rows


def header_of(path: Path) -> list[str]:
    """Names of the columns of a CSV file, stripped; none of an empty one.

    Raises:
        StockpotError: As ``read_columns``.
    """
    shown = one_line(path, 200)
    _, header = next(_records(shown, _decoded(shown, _content(path, shown))), (0, []))
    return [name.strip() for name in header]


def _content(path: Path, shown: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise StockpotError(f"{shown}: cannot be read ({error.strerror})") from error


def _decoded(shown: str, content: bytes) -> str:
    if content.startswith(_UTF_16_MARKS):
        raise StockpotError(f"{shown}: is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise StockpotError(
            f"{shown}, line {line}: has a byte of zero; is it UTF-16, or no text? A CSV file in "
            "UTF-8 is wanted"
        )
    try:
        return content.decode("utf-8-sig")  # without the mark that Excel writes at the beginning
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start : error.start + 1]
        letter = byte.decode("cp1252", "replace")
        raise StockpotError(
            f"{shown}, line {line}: is not UTF-8; its byte 0x{byte.hex()} is {letter!r} in "
            "Windows' cp1252. Save it as UTF-8"
        ) from error


def _records(shown: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """The line where each row begins, and its fields."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        begins = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise StockpotError(
                f"{shown}, line {begins}: a row begins here that cannot be read ({error}); is a "
                "quote not closed, or a comma missing?"
            ) from error
        if reader.line_num > begins:
            raise StockpotError(
                f"{shown}, line {begins}: a field that begins here goes on to line "
                f"{reader.line_num}; is a quote not closed? A field has no line breaks, and a "
                "quote within quotes is written twice"
            )
        yield begins, fields


def _place(shown: str, header: list[str], name: str, hint: str) -> int:
    """Which column has this name."""
    if header.count(name) > 1:
        raise StockpotError(f"{shown}: has {header.count(name)} columns {name!r}")
    if name in header:
        return header.index(name)
    there = one_line(", ".join(header), 200) or "none"
    note = f" ({hint})" if hint else ""
    raise StockpotError(f"{shown}: no column {name!r}; there are {there}{note}{separator(header)}")


def separator(header: list[str]) -> str:
    """A hint for a file that another program's habits have shaped, or ""."""
    marked = any(mark in column for column in header for mark in (";", "\t"))
    return "; columns are separated by commas here" if marked else ""
