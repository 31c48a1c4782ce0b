"""Read columns of a CSV file that somebody wrote by hand or with a spreadsheet, and be strict.

A quote that is never closed makes one field of all rows below it. So nothing is guessed: what is
not a plain table is refused, with the line where the row begins. A field that nobody asks for may
have line breaks, as notes in a spreadsheet have.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular


class _Record(NamedTuple):
    """A row: the line where it begins, its fields, and its text as lines."""

    line: int
    fields: list[str]
    text: list[str]


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
    header = _header(shown, records)
    places = [_place(shown, header, name, hint) for name, hint in columns.items()]
    rows = []
    for record in records:
        line, fields, _ = record
        if not fields:
            continue
        _check_breaks(shown, record, len(header), places)
        surplus = [field for field in fields[len(header) :] if field.strip()]
        if surplus:
            raise StockpotError(
                f"{shown}, line {line}: {len(fields)} fields, but the header has {len(header)}; a "
                "field with a comma in it stands between quotes"
            )
        values = [
            fields[place].strip() if place < len(fields) else "" for place in places
        ]
        rows.append((line, values))
    return rows


def header_of(path: Path) -> list[str]:
    """Names of the columns of a CSV file, stripped; none of an empty one.

    Raises:
        StockpotError: As ``read_columns``.
    """
    shown = one_line(path, 200)
    return _header(shown, _records(shown, _decoded(shown, _content(path, shown))))


def _header(shown: str, records: Iterator[_Record]) -> list[str]:
    record = next(records, _Record(0, [], []))
    _check_breaks(shown, record, len(record.fields), [])
    return [name.strip() for name in record.fields]


def _content(path: Path, shown: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise StockpotError(f"{shown}: cannot be read ({error.strerror})") from error


def _decoded(shown: str, content: bytes) -> str:
    if content.startswith(_UTF_16_MARKS):
        raise StockpotError(
            f"{shown}: is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)"
        )
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise StockpotError(
            f"{shown}, line {line}: has a byte of zero; is it UTF-16, or no text? A CSV file in "
            "UTF-8 is wanted"
        )
    try:
        return content.decode(
            "utf-8-sig"
        )  # without the mark that Excel writes at the beginning
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start : error.start + 1]
        letter = byte.decode("cp1252", "replace")
        raise StockpotError(
            f"{shown}, line {line}: is not UTF-8; its byte 0x{byte.hex()} is {letter!r} in "
            "Windows' cp1252. Save it as UTF-8"
        ) from error


def _records(shown: str, text: str) -> Iterator[_Record]:
    taken = []  # lines of the row that is being read

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    reader = csv.reader(lines(), strict=True)
    while True:
        taken.clear()
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
        yield _Record(begins, fields, list(taken))


def _check_breaks(shown: str, record: _Record, columns: int, wanted: list[int]) -> None:
    """Refuse a line break in a wanted column, and one that seems to come of a quote that is not
    closed.

    Such a quote stands in a line that is a row by itself, and the field goes on over others that
    are rows too; of a note with a line break, neither or only one of both is true.
    """
    if len(record.text) < 2:
        return
    is_row = [line.count(",") + 1 >= columns for line in record.text]
    swallows_rows = is_row[0] and any(is_row[1:])
    values = [record.fields[place] for place in wanted if place < len(record.fields)]
    if swallows_rows or any("\n" in value or "\r" in value for value in values):
        raise StockpotError(
            f"{shown}, line {record.line}: a field that begins here goes on to line "
            f"{record.line + len(record.text) - 1}; is a quote not closed? A field that is read "
            "has no line breaks, and a quote within quotes is written twice"
        )


def _place(shown: str, header: list[str], name: str, hint: str) -> int:
    """Which column has this name."""
    if header.count(name) > 1:
        raise StockpotError(f"{shown}: has {header.count(name)} columns {name!r}")
    if name in header:
        return header.index(name)
    there = one_line(", ".join(header), 200) or "none"
    note = f" ({hint})" if hint else ""
    raise StockpotError(
        f"{shown}: no column {name!r}; there are {there}{note}{separator(header)}"
    )


def separator(header: list[str]) -> str:
    """A hint for a file that another program's habits have shaped, or ""."""
    marked = any(mark in column for column in header for mark in (";", "\t"))
    return "; columns are separated by commas here" if marked else ""
