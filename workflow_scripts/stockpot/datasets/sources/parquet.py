"""Parquet files with an image and a label per row, as Hugging Face has them.

Images are encoded files in a column of bytes, or of {bytes, path}. Labels are names, or numbers
whose names are in the file ("huggingface" in its metadata) or in a list of classes. Needs
pyarrow.
"""

import json
import os
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import check_regular
from ..bounded import bounded, memory_limit
from . import Source, with_defaults
from ._options import ClassList
from ._own import (
    Classes,
    Tally,
    answered,
    class_file,
    class_list,
    class_name,
    classes_of,
    file_facts,
    files_of,
    list_facts,
    once,
    total,
    unused_beside,
)
from ._published import reading


class Options(ClassList):
    path: str = Field(description="a Parquet file, or a folder of them")
    glob: str = Field(
        "**/*.parquet", description="which files of the folder, as data/test-*.parquet"
    )
    image_column: str = Field("image", description="column of images")
    label_column: str = Field("label", description="column of labels")


SOURCE = Source(options=Options, seeded=False)

HINT = "a Parquet file is wanted"
BATCH = 1 << 16  # labels that are held at once
LARGEST_DICTIONARY = 1 << 30  # bytes; pyarrow's have offsets of 32 bits


def classes(entry, locate):
    return _classes(entry, locate).names


def counts(entry, locate):
    return _classes(entry, locate).counts


def identity(entry, locate):
    entry = with_defaults(entry)
    return f"{locate(entry['path']).resolve()} {entry['glob']}"


def unused(entry, locate):
    path = locate(entry["path"])
    return unused_beside(path, files_of(path, with_defaults(entry)["glob"]))


def facts(entry, locate, key):
    path, filled = locate(entry["path"]), with_defaults(entry)
    found = file_facts(path, filled["glob"], key)
    for file in files_of(path, filled["glob"]):
        _groups(file, filled["image_column"])
    return found | list_facts(entry, locate, key)


def prepare(spec):
    from ..examples import Examples

    known, column = _classes(spec, Path), spec["image_column"]
    images, labels = [], []
    for file in files_of(Path(spec["path"]), spec["glob"]):
        for group, rows in enumerate(_groups(file, column)):
            images += [Cell(str(file), column, group, row) for row in range(rows)]
        labels += [
            known.row[label] for label in _each_label(file, spec["label_column"])
        ]
    names, labels = answered(spec, known.names, labels)
    return Examples(
        images=images,
        labels=labels,
        class_names=names,
        keys=[f"{Path(image.file).name} {image.group} {image.row}" for image in images],
    )


@dataclass(frozen=True)
class Cell:
    """The image in one row of a row group."""

    file: str
    column: str
    group: int
    row: int

    @property
    def name(self) -> str:
        return f"{one_line(self.file, 300)}: row {self.row} of group {self.group}"

    def open(self):
        from ..decoding.opening import open_image

        # One thread reads a group, and the others find it read.
        with _LOCK:
            values = _values(self.file, self.column, self.group)
        value = values[self.row].as_py()
        encoded = value["bytes"] if isinstance(value, dict) else value
        if not encoded:
            raise ValueError(f"the column {self.column!r} has no bytes here")
        return open_image(encoded)


_LOCK = Lock()


@lru_cache(maxsize=2)
def _values(file: str, column: str, group: int):
    # A file may hold an image once for many rows; so does memory, where these are read as a
    # dictionary.
    with _opened(Path(file)) as parquet:
        paths = [parquet.schema.column(i).path for i in range(len(parquet.schema))]
        size = _image_bytes(parquet.metadata.row_group(group), column)
    images = [path for path in paths if path in (column, f"{column}.bytes")]
    with _opened(Path(file), images if size < LARGEST_DICTIONARY else None) as parquet:
        return parquet.read_row_group(group, columns=[column]).column(column)


def _opened(file: Path, read_dictionary: list[str] | None = None):
    with reading(file, HINT):
        check_regular(os.stat(file).st_mode, file)
        return _parquet_file(file)(file, read_dictionary=read_dictionary)


def _parquet_file(file: Path):
    """The class that reads such files."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise StockpotError(
            f"{file}: reading it needs pyarrow (pip install pyarrow)"
        ) from error
    return ParquetFile


def _classes(entry, locate) -> Classes:
    entry = with_defaults(entry)
    listed = class_list(locate(class_file(entry)) if class_file(entry) else None)
    names, tallies = listed, []
    for file in files_of(locate(entry["path"]), entry["glob"]):
        own, found = _tally(file, entry["label_column"])
        if listed is None and own and names and own != names:
            raise StockpotError(
                f"{one_line(file, 150)}: its classes are {_some(own)}, those before it have "
                f"{_some(names)}; the files of one set number them alike"
            )
        names = names or own
        tallies.append(found)
    return classes_of(entry, total(tallies), names)


def _some(names: list[str]) -> str:
    return one_line(", ".join(names[:5]), 120) + (", …" if names[5:] else "")


@once
def _tally(file: Path, column: str) -> tuple[list[str] | None, Tally]:
    """Names of the classes where the file has them, and its labels."""
    _parquet_file(
        file
    )  # imported here, as a child with little room cannot start its threads
    return bounded(_read_tally, file, column)


def _read_tally(file: Path, column: str) -> tuple[list[str] | None, Tally]:
    found, row, shown = Tally(), 0, one_line(file, 150)
    with _opened(file) as parquet:
        _check(file, parquet.schema_arrow, column, "label_column")
        names = _names(file, parquet.schema_arrow, column)
        for batch in _batches(file, parquet, column):
            # A few labels stand for many rows, so each is looked at once per batch.
            for counted in batch.value_counts():
                label, n = counted["values"].as_py(), counted["counts"].as_py()
                if label not in found.counts or not _is_label(label):
                    place = row + _first(batch, counted["values"])
                    where = f"{shown}, row {place}"
                    if not _is_label(label):
                        raise StockpotError(
                            f"{where}: the {column} is {one_line(repr(label), 100)}, no name or "
                            "number"
                        )
                    found.add(label, where, n)
                else:
                    found.add(label, "", n)
            row += len(batch)
    return names, found


def _is_label(label) -> bool:
    return isinstance(label, int | str) and not isinstance(label, bool) and label != ""


def _first(batch, value) -> int:
    """Row of the first such value in a batch."""
    if not value.is_valid:
        return batch.is_null().index(True).as_py()
    return batch.index(value).as_py()


def _batches(file: Path, parquet, column: str):
    """The labels, some rows at a time, as plain arrays."""
    from pyarrow import types

    kind = parquet.schema_arrow.field(column).type
    if types.is_nested(kind):
        raise StockpotError(
            f"{one_line(file, 150)}: the column {column!r} is {one_line(kind, 100)}, not names or "
            "numbers"
        )
    batches = parquet.iter_batches(BATCH, columns=[column], use_threads=False)
    while True:
        with reading(file, HINT):
            batch = next(batches, None)
            if batch is None:
                return
            labels = batch.column(0)
            if types.is_dictionary(labels.type):
                labels = labels.dictionary_decode()
        yield labels


def _each_label(file: Path, column: str):
    with _opened(file) as parquet:
        for batch in _batches(file, parquet, column):
            yield from batch.to_pylist()


def _names(file: Path, schema, column: str) -> list[str] | None:
    """Names of the classes that the datasets library has written into the schema."""
    described = (schema.metadata or {}).get(b"huggingface")
    if not described:
        return None
    with reading(file, HINT):
        found = json.loads(described)
    for key in ("info", "features", column, "names"):
        found = found.get(key) if isinstance(found, dict) else None
    if not found:
        return None
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise StockpotError(
            f"{one_line(file, 150)}: the names of its classes, in the schema's metadata, are no "
            "list of texts; classes: names a file with one class per line"
        )
    names = [class_name(one_line(file, 150), name) for name in found]
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        raise StockpotError(
            f"{one_line(file, 150)}: the class {twice[0]!r} is listed twice"
        )
    return names


@once
def _groups(file: Path, column: str) -> list[int]:
    """Rows of each group of a file whose column may hold images."""
    _parquet_file(file)
    return bounded(_read_groups, file, column)


def _read_groups(file: Path, column: str) -> list[int]:
    from pyarrow import types

    shown = one_line(file, 150)
    with _opened(file) as parquet:
        schema = parquet.schema_arrow
        _check(file, schema, column, "image_column")
        kind = schema.field(column).type
        if types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
            kind = kind.field("bytes").type
        if not types.is_binary(kind) and not types.is_large_binary(kind):
            raise StockpotError(
                f"{file}: the column {column!r} is {kind}, not bytes or {{bytes, path}} of images"
            )
        metadata = parquet.metadata
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    allowed = memory_limit(os.stat(file).st_size)
    for number, group in enumerate(groups):
        needed = _image_bytes(group, column)
        if needed > allowed:
            raise StockpotError(
                f"{shown}: the images of its row group {number} are {needed >> 20:,} MB when "
                f"unpacked, too much for such a file, of which {allowed >> 20:,} are read at most; "
                "it is damaged or made to do harm"
            )
    return [group.num_rows for group in groups]


def _image_bytes(group, column: str) -> int:
    """Bytes of a column of a row group, of a column of structs those of all fields."""
    chunks = [group.column(i) for i in range(group.num_columns)]
    return sum(
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.path_in_schema.split(".")[0] == column.split(".")[0]
    )


def _check(file: Path, schema, column: str, option: str) -> None:
    if column not in schema.names:
        raise StockpotError(
            f"{one_line(file, 150)}: no column {column!r}; there are "
            f"{one_line(', '.join(schema.names), 200)} ({option} names another)"
        )
