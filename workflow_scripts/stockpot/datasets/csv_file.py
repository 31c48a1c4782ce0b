"""Read columns of a CSV file that somebody wrote by hand or with a spreadsheet, and be strict.

A quote that is never closed makes one field of all rows below it. So nothing is guessed: what is
not a plain table is refused, with the line where the row begins. Only a field that is not read may
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

_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class _Record(NamedTuple):
    """A row of the file.

    Attributes:
        line: Number of the line where it begins, from 1.
        fields: Its values.
        text: Its text as lines; more than one where a field has a line break.
    """

    line: int
    fields: list[str]
    text: list[str]


def read_columns(path: Path, columns: Mapping[str, str]) -> list[tuple[int, list[str]]]:
    """Read some columns of every row.

    Args:
        path: A CSV file in UTF-8 with a header; columns are separated by commas.
        columns: Name of a column to read -> hint for the case that it is missing, or "".

    Returns:
        Per row the number of the line where it begins, and the stripped values of the columns in
        their order; "" where the row is too short.

    Raises:
        StockpotError: The file cannot be read, is not UTF-8, lacks a column, or has a row that is
            not well formed. One line with the file and the line in it.
    """
    shown_path = one_line(path, 200)
    records = _records(shown_path, _text(path, shown_path))
    header = _header(shown_path, records)
    positions = []
    for name, hint in columns.items():
        positions.append(_column_position(shown_path, header, name, hint))
    rows = []
    for record in records:
        # An empty line is no row.
        if not record.fields:
            continue
        _check_line_breaks(
            shown_path,
            record,
            len(header),
            positions,
        )
        _check_length(shown_path, record, len(header))
        values = [_field(record, position).strip() for position in positions]
        rows.append((record.line, values))
    return rows


def header_of(path: Path) -> list[str]:
    """Read the names of the columns of a CSV file.

    Args:
        path: A CSV file in UTF-8.

    Returns:
        The names, stripped; [] for an empty file.

    Raises:
        StockpotError: See ``read_columns``.
    """
    shown_path = one_line(path, 200)
    return _header(shown_path, _records(shown_path, _text(path, shown_path)))


def _header(shown_path: str, records: Iterator[_Record]) -> list[str]:
    record = next(
        records,
        _Record(
            0,
            [],
            [],
        ),
    )
    _check_line_breaks(
        shown_path,
        record,
        len(record.fields),
        [],
    )
    return [name.strip() for name in record.fields]


def _text(path: Path, shown_path: str) -> str:
    """Read and decode the file; report the line where that fails."""
    content = _content(path, shown_path)
    if content.startswith(_UTF_16_MARKS):
        raise StockpotError(
            f"{shown_path}: is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)"
        )
    # UTF-8 has no such byte in a text, but it would be decoded without an error.
    if b"\0" in content:
        line = _line_number(content, content.index(b"\0"))
        raise StockpotError(
            f"{shown_path}, line {line}: has a zero byte; is it UTF-16, or not a text? It must "
            "be a CSV file in UTF-8"
        )
    try:
        # "sig" removes the mark that Excel writes at the beginning.
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_number(content, error.start)
        byte = content[error.start : error.start + 1]
        # The letter helps to find the place in an editor.
        letter = byte.decode("cp1252", "replace")
        raise StockpotError(
            f"{shown_path}, line {line}: is not UTF-8; its byte 0x{byte.hex()} is {letter!r} in "
            "Windows' cp1252. Save it as UTF-8"
        ) from error


def _content(path: Path, shown_path: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise StockpotError(
            f"{shown_path}: cannot be read ({error.strerror})"
        ) from error


def _line_number(content: bytes, offset: int) -> int:
    """Number of the line, from 1, that a byte stands in."""
    return content.count(b"\n", 0, offset) + 1


def _records(shown_path: str, text: str) -> Iterator[_Record]:
    """Yield the rows of the file, each with the lines that it was read from."""
    row_lines: list[str] = []

    def lines() -> Iterator[str]:
        """Yield all lines, and note those that the CSV reader takes for one row."""
        for line in io.StringIO(text, newline=""):
            row_lines.append(line)
            yield line

    reader = csv.reader(lines(), strict=True)
    while True:
        row_lines.clear()
        first_line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise StockpotError(
                f"{shown_path}, line {first_line}: a row begins here that cannot be read "
                f"({error}); is a quote not closed, or a comma missing?"
            ) from error
        yield _Record(first_line, fields, list(row_lines))


def _field(record: _Record, position: int) -> str:
    """A value of a row; "" where the row is too short."""
    if position < len(record.fields):
        return record.fields[position]
    return ""


def _check_length(
    shown_path: str,
    record: _Record,
    column_count: int,
) -> None:
    """Refuse a row with more values than the header has columns."""
    # Spreadsheets may end all rows with empty fields.
    surplus = [field for field in record.fields[column_count:] if field.strip()]
    if surplus:
        raise StockpotError(
            f"{shown_path}, line {record.line}: {len(record.fields)} fields, but the header "
            f"has {column_count}; put a field that contains a comma in quotes"
        )


def _check_line_breaks(
    shown_path: str,
    record: _Record,
    column_count: int,
    positions: list[int],
) -> None:
    """Refuse a line break in a column that is read, or one that an unclosed quote explains.

    An unclosed quote stands in a line that has as many commas as a row, and its field goes on over
    further lines that look like rows too. A note with a line break does not look like that: at
    most one of its lines, the first or a later one, has as many commas as a row.
    """
    if len(record.text) < 2:
        return
    looks_like_row = [line.count(",") + 1 >= column_count for line in record.text]
    swallows_rows = looks_like_row[0] and any(looks_like_row[1:])
    values = [_field(record, position) for position in positions]
    if swallows_rows or any("\n" in value or "\r" in value for value in values):
        last_line = record.line + len(record.text) - 1
        raise StockpotError(
            f"{shown_path}, line {record.line}: a field that begins here goes on to line "
            f"{last_line}; is a quote not closed? Fields must not contain line breaks, and a "
            "quote within quotes is written twice"
        )


def _column_position(
    shown_path: str,
    header: list[str],
    name: str,
    hint: str,
) -> int:
    """Index of the column with this name."""
    # It would not be clear which of them is meant.
    if header.count(name) > 1:
        raise StockpotError(f"{shown_path}: has {header.count(name)} columns {name!r}")
    if name in header:
        return header.index(name)
    existing = one_line(", ".join(header), 200) or "none"
    note = f" ({hint})" if hint else ""
    raise StockpotError(
        f"{shown_path}: no column {name!r}; there are {existing}{note}{separator_hint(header)}"
    )


def separator_hint(header: list[str]) -> str:
    """Explain a header whose columns are not separated by commas.

    Args:
        header: Names of the columns as they were read.

    Returns:
        The end of a message, or "" where the header looks right.
    """
    for name in header:
        if ";" in name or "\t" in name:
            return "; columns are separated by commas here"
    return ""
