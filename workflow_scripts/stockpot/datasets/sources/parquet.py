"""Parquet files with an image and a label per row, as Hugging Face has them.

Images are encoded files in a column of bytes, or of {bytes, path}. Labels are names, or numbers
whose names are in the file ("huggingface" in its metadata) or in a list of classes. Needs
pyarrow.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from ...errors import StockpotError
from . import with_defaults
from ._own import (
    class_list,
    file_facts,
    files_of,
    list_facts,
    names_of,
    once,
    per_class,
    places_of,
)
from ._published import reading

OPTIONS = {
    "path": {"description": "a Parquet file, or a folder of them", "type": "string"},
    "glob": {
        "description": "which files of the folder, as data/test-*.parquet",
        "type": "string",
        "default": "**/*.parquet",
    },
    "image_column": {"type": "string", "default": "image"},
    "label_column": {"type": "string", "default": "label"},
    "classes": {
        "description": "file with one class per line; needed where labels are numbers without "
        "names in the file",
        "type": "string",
        "default": None,
    },
}
ENCODED = True
SEEDED = False
HINT = "a Parquet file is wanted"


def classes(entry, locate):
    return _known(entry, locate)[2]


def counts(entry, locate):
    _, found, names = _known(entry, locate)
    return per_class(places_of(found, names), names)


def identity(entry, locate):
    entry = with_defaults(entry)
    return f"{locate(entry['path']).resolve()} {entry['glob']}"


def facts(entry, locate, key):
    path, filled = locate(entry["path"]), with_defaults(entry)
    found = file_facts(path, filled["glob"], key)
    for file in files_of(path, filled["glob"]):
        _groups(file, filled["image_column"])
    return found | list_facts(entry, locate, key)


def prepare(spec):
    from ..examples import Examples

    files, found, names = _known(spec, Path)
    column, images = spec["image_column"], []
    for file in files:
        groups = _groups(file, column)
        images += [
            Cell(str(file), column, group, row)
            for group, rows in enumerate(groups)
            for row in range(rows)
        ]
    return Examples(
        images=images,
        labels=places_of(found, names),
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
        return f"{self.file}: row {self.row} of group {self.group}"

    def open(self):
        from ..opening import open_image

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
    with _opened(Path(file)) as parquet:
        return parquet.read_row_group(group, columns=[column]).column(column)


def _opened(file: Path):
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise StockpotError(f"{file}: reading it needs pyarrow (pip install pyarrow)") from error
    with reading(file, HINT):
        return ParquetFile(file)


def _known(entry, locate):
    """(files, where each label stands and what it is, class names)"""
    entry = with_defaults(entry)
    files = files_of(locate(entry["path"]), entry["glob"])
    names, found = class_list(entry["classes"] and locate(entry["classes"])), []
    for file in files:
        own, labels = _labels(file, entry["label_column"])
        if own and names and own != names and not entry["classes"]:
            raise StockpotError(
                f"{file}: its classes are {', '.join(own[:5])}, …, those before it have "
                f"{', '.join(names[:5])}, …; the files of one set number them alike"
            )
        names = names or own
        found += labels
    return files, found, names_of(found, names)


@once
def _labels(file: Path, column: str):
    """(names of the classes where the file has them, labels and where they stand)"""
    with _opened(file) as parquet:
        schema = parquet.schema_arrow
        _check(file, schema, column, "label_column")
        names = _names(file, schema, column)
        with reading(file, HINT):
            labels = parquet.read(columns=[column]).column(column).to_pylist()
    for row, label in enumerate(labels):
        if not isinstance(label, int | str) or label == "":
            raise StockpotError(f"{file}, row {row}: the {column} is {label!r}, no name or number")
    return names, [(f"{file}, row {row}", label) for row, label in enumerate(labels)]


def _names(file: Path, schema, column: str) -> list[str] | None:
    described = (schema.metadata or {}).get(b"huggingface")
    if not described:
        return None
    with reading(file, HINT):
        feature = json.loads(described).get("info", {}).get("features", {}).get(column, {})
        return feature.get("names")


@once
def _groups(file: Path, column: str) -> list[int]:
    """Rows of each group of a file whose column may hold images."""
    from pyarrow import types

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
        return [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]


def _check(file: Path, schema, column: str, option: str) -> None:
    if column not in schema.names:
        raise StockpotError(
            f"{file}: no column {column!r}; there are {', '.join(schema.names)} "
            f"({option} names another)"
        )
