"""Parquet files with an image and a label per row, as Hugging Face has them.

Images are encoded files in a column of bytes, or of {bytes, path}. Labels are names, or numbers
whose names are in the file ("huggingface" in its metadata) or in a list of classes. Needs pyarrow.

A Parquet file stores its rows in row groups; a column of one row group is the least that can be
read. Files come from strangers, so what planning reads of them is read in a child process with
limits (``bounded``).
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import check_regular
from ..bounded import bounded, memory_limit
from . import Entry, Facts, Locate, PrepareSpec, Source, with_defaults
from ._options import ClassList
from ._own import (
    Classes,
    Label,
    LabelCounts,
    among_answer_classes,
    cached_per_file,
    class_file,
    class_list,
    class_name,
    classes_of,
    file_facts,
    list_facts,
    matching_files,
    sum_label_counts,
    unused_beside,
)
from ._published import reading

if TYPE_CHECKING:
    import pyarrow
    from PIL import Image
    from pyarrow.parquet import ParquetFile, RowGroupMetaData

    from ..examples import Examples
    from ._own import Unused


class Options(ClassList):
    """Options of the source ``parquet``."""

    path: str = Field(description="a Parquet file, or a folder of them")
    glob: str = Field(
        "**/*.parquet",
        description="which files of the folder are read, for example "
        "data/test-*.parquet",
    )
    image_column: str = Field("image", description="column of images")
    label_column: str = Field("label", description="column of labels")


SOURCE = Source(options=Options, seeded=False)

HINT = "a Parquet file is wanted"
BATCH = 1 << 16  # labels that are held at once
LARGEST_DICTIONARY = 1 << 30  # bytes; pyarrow's have offsets of 32 bits


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Those of the list of classes, or of the file's metadata, or else the sorted labels.

    Raises:
        StockpotError: A file cannot be read, or its labels are wrong.
    """
    return _classes(entry, locate).names


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images of each class.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Number of images per class, in the order of ``classes``.

    Raises:
        StockpotError: A file cannot be read, or its labels are wrong.
    """
    return _classes(entry, locate).counts


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read: files of a folder.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        The absolute path, with all links followed, and the pattern of the files.
    """
    entry = with_defaults(entry)
    return f"{locate(entry['path']).resolve()} {entry['glob']}"


def unused(entry: Entry, locate: Locate) -> "Unused":
    """Count what lies in the folder and is not read.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Kind of file -> how many there are, and one of them.
    """
    path = locate(entry["path"])
    return unused_beside(path, matching_files(path, with_defaults(entry)["glob"]))


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Check that all files have images, and digest their state.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        "path" -> the file or folder, "files" -> a digest of names, sizes and dates; with a list of
        classes also its path and names.

    Raises:
        StockpotError: A file is missing, cannot be read, or has no images.
    """
    path = locate(entry["path"])
    filled = with_defaults(entry)
    state = file_facts(path, filled["glob"], key)
    for file in matching_files(path, filled["glob"]):
        _groups(file, filled["image_column"])
    return state | list_facts(entry, locate, key)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images with their class indices.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the files and rows.

    Raises:
        StockpotError: A file cannot be read, or its labels are wrong.
    """
    from ..examples import Examples

    user_classes = _classes(spec, Path)
    column = spec["image_column"]
    images: list[ImageInRow] = []
    labels: list[int] = []
    for file in matching_files(Path(spec["path"]), spec["glob"]):
        for group, row_count in enumerate(_groups(file, column)):
            images += [
                ImageInRow(
                    str(file),
                    column,
                    group,
                    row,
                )
                for row in range(row_count)
            ]
        for label in _each_label(file, spec["label_column"]):
            labels.append(user_classes.index[label])
    class_names, labels = among_answer_classes(spec, user_classes.names, labels)
    return Examples(
        images=images,
        labels=labels,
        class_names=class_names,
        keys=[image.key for image in images],
    )


# Images.


@dataclass(frozen=True)
class ImageInRow:
    """The image in one row of a row group.

    Attributes:
        file: Path of the Parquet file.
        column: Column of images.
        group: Number of the row group in the file.
        row: Number of the row in the group.
    """

    file: str
    column: str
    group: int
    row: int

    @property
    def key(self) -> str:
        """Name of the image that stays when the folder moves."""
        file_name = Path(self.file).name
        return f"{file_name} {self.group} {self.row}"

    @property
    def name(self) -> str:
        """What a message calls the image, in one line."""
        return f"{one_line(self.file, 300)}: row {self.row} of group {self.group}"

    def open(self) -> "Image.Image":
        """Decode the image.

        Returns:
            The image.

        Raises:
            ValueError: The cell has no bytes, or they are no image.
        """
        from ..decoding.opening import open_image

        # One thread reads a group, and the others find it read.
        with _LOCK:
            values = _values(self.file, self.column, self.group)
        value = values[self.row].as_py()
        # A struct has the encoded file in its field "bytes"; else the value is the file.
        encoded = value["bytes"] if isinstance(value, dict) else value
        if not encoded:
            raise ValueError(f"the column {self.column!r} has no bytes here")
        return open_image(encoded)


# Held while a row group is read: threads decode its images one after another.
_LOCK = Lock()


@lru_cache(maxsize=2)
def _values(
    file: str,
    column: str,
    group: int,
) -> "pyarrow.ChunkedArray":
    """The image column of one row group."""
    with _opened(Path(file)) as parquet:
        schema = parquet.schema
        columns = [schema.column(index) for index in range(len(schema))]
        paths = [schema_column.path for schema_column in columns]
        size = _image_bytes(parquet.metadata.row_group(group), column)
    # A file may hold an image once for many rows. Memory does too, where the column is read as a
    # dictionary.
    dictionary_columns = None
    if size < LARGEST_DICTIONARY:
        image_paths = (column, f"{column}.bytes")
        dictionary_columns = [path for path in paths if path in image_paths]
    with _opened(Path(file), dictionary_columns) as parquet:
        return parquet.read_row_group(group, columns=[column]).column(column)


def _opened(file: Path, dictionary_columns: list[str] | None = None) -> "ParquetFile":
    with reading(file, HINT):
        check_regular(os.stat(file).st_mode, file)
        return _parquet_file(file)(file, read_dictionary=dictionary_columns)


def _parquet_file(file: Path) -> type["ParquetFile"]:
    """The class that reads such files; StockpotError without pyarrow."""
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise StockpotError(
            f"{file}: reading it needs pyarrow (pip install pyarrow)"
        ) from error
    return ParquetFile


@cached_per_file
def _groups(file: Path, column: str) -> list[int]:
    """Number of rows of each row group of a file whose column may hold images."""
    # Imported here, as a child with little room cannot start pyarrow's threads.
    _parquet_file(file)
    return bounded(_read_groups, file, column)


def _read_groups(file: Path, column: str) -> list[int]:
    with _opened(file) as parquet:
        schema = parquet.schema_arrow
        _require_column(file, schema, column, "image_column")
        _require_bytes(file, schema, column)
        metadata = parquet.metadata
        groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    # A few bytes can unpack to any number: what fits no memory is refused before it is read.
    allowed = memory_limit(os.stat(file).st_size)
    for number, group in enumerate(groups):
        needed = _image_bytes(group, column)
        if needed > allowed:
            shown_file = one_line(file, 150)
            raise StockpotError(
                f"{shown_file}: the images of its row group {number} are "
                f"{needed >> 20:,} MB when unpacked, too much for such a file, of which "
                f"{allowed >> 20:,} are read at most; it is damaged or made to do harm"
            )
    return [group.num_rows for group in groups]


def _require_bytes(
    file: Path,
    schema: "pyarrow.Schema",
    column: str,
) -> None:
    """Refuse a column that is neither of bytes nor of {bytes, path}."""
    from pyarrow import types

    column_type = schema.field(column).type
    if types.is_struct(column_type) and column_type.get_field_index("bytes") >= 0:
        column_type = column_type.field("bytes").type
    if types.is_binary(column_type) or types.is_large_binary(column_type):
        return
    raise StockpotError(
        f"{file}: the column {column!r} is {column_type}, not bytes or {{bytes, path}} of images"
    )


def _image_bytes(group: "RowGroupMetaData", column: str) -> int:
    """Unpacked bytes of a column of a row group; of a column of structs those of all fields."""
    column_name = column.split(".")[0]
    total = 0
    for index in range(group.num_columns):
        chunk = group.column(index)
        if chunk.path_in_schema.split(".")[0] == column_name:
            total += chunk.total_uncompressed_size
    return total


# Labels and classes.

# Names of the classes where a file has them, and how often each label occurs in it.
FileLabels = tuple[list[str] | None, LabelCounts]


def _classes(entry: Entry, locate: Locate) -> Classes:
    entry = with_defaults(entry)
    list_path = class_file(entry)
    listed_names = class_list(locate(list_path) if list_path else None)
    # All files of a data set must agree on the numbers of the classes.
    names = listed_names
    all_counts: list[LabelCounts] = []
    for file in matching_files(locate(entry["path"]), entry["glob"]):
        file_names, label_counts = _labels_of_file(file, entry["label_column"])
        all_counts.append(label_counts)
        # A list of classes goes before what the files say.
        if listed_names is None and file_names and names and file_names != names:
            raise StockpotError(
                f"{one_line(file, 150)}: its classes are {_first_names(file_names)}, those before "
                f"it have {_first_names(names)}; the files of one set number them alike"
            )
        if not names:
            names = file_names
    return classes_of(entry, sum_label_counts(all_counts), names)


def _first_names(names: list[str]) -> str:
    """The first five names, for an error."""
    more = ", …" if names[5:] else ""
    return one_line(", ".join(names[:5]), 120) + more


@cached_per_file
def _labels_of_file(file: Path, column: str) -> FileLabels:
    """Names of the classes where the file has them, and its labels."""
    # Imported here, as a child with little room cannot start pyarrow's threads.
    _parquet_file(file)
    return bounded(_read_labels, file, column)


def _read_labels(file: Path, column: str) -> FileLabels:
    label_counts = LabelCounts()
    rows_before = 0
    with _opened(file) as parquet:
        _require_column(file, parquet.schema_arrow, column, "label_column")
        names = _class_names_in(file, parquet.schema_arrow, column)
        for batch in _label_batches(file, parquet, column):
            _count_batch(label_counts, file, column, batch, rows_before)
            rows_before += len(batch)
    return names, label_counts


def _count_batch(
    label_counts: LabelCounts,
    file: Path,
    column: str,
    batch: "pyarrow.Array",
    rows_before: int,
) -> None:
    """Add the labels of a batch, which begins after so many rows of the file."""
    # A few labels stand for many rows, so each is looked at once per batch.
    for value_count in batch.value_counts():
        value = value_count["values"]
        label = value.as_py()
        count = value_count["counts"].as_py()
        # A search for the row takes time, so only new labels have one.
        if _is_label(label) and label in label_counts.counts:
            label_counts.add(label, "", count)
            continue
        row = rows_before + _first_row(batch, value)
        where = f"{one_line(file, 150)}, row {row}"
        if not _is_label(label):
            raise StockpotError(
                f"{where}: the {column} is {one_line(repr(label), 100)}, no name or number"
            )
        label_counts.add(label, where, count)


def _is_label(label: Any) -> bool:
    if isinstance(label, bool) or label == "":
        return False
    return isinstance(label, int | str)


def _first_row(batch: "pyarrow.Array", value: "pyarrow.Scalar") -> int:
    """Row of the first such value in a batch."""
    # A missing value equals nothing, so it is looked for as such.
    if not value.is_valid:
        return batch.is_null().index(True).as_py()
    return batch.index(value).as_py()


def _label_batches(
    file: Path, parquet: "ParquetFile", column: str
) -> Iterator["pyarrow.Array"]:
    """The labels, some rows at a time, as plain arrays."""
    from pyarrow import types

    column_type = parquet.schema_arrow.field(column).type
    if types.is_nested(column_type):
        raise StockpotError(
            f"{one_line(file, 150)}: the column {column!r} is {one_line(column_type, 100)}, not "
            "names or numbers"
        )
    batches = parquet.iter_batches(
        BATCH,
        columns=[column],
        use_threads=False,
    )
    while True:
        # Only what pyarrow does is in the block, not what the caller does with a batch.
        with reading(file, HINT):
            batch = next(batches, None)
            if batch is None:
                return
            labels = batch.column(0)
            if types.is_dictionary(labels.type):
                labels = labels.dictionary_decode()
        yield labels


def _each_label(file: Path, column: str) -> Iterator[Label]:
    with _opened(file) as parquet:
        for batch in _label_batches(file, parquet, column):
            yield from batch.to_pylist()


def _class_names_in(
    file: Path, schema: "pyarrow.Schema", column: str
) -> list[str] | None:
    """Names of the classes that the datasets library has written into the schema."""
    shown_file = one_line(file, 150)
    description = (schema.metadata or {}).get(b"huggingface")
    if not description:
        return None
    with reading(file, HINT):
        node = json.loads(description)
    # Files come from strangers, so any level may be missing or of another type.
    # {"info": {"features": {<column>: {"names": [...]}}}}
    for key in ("info", "features", column, "names"):
        node = node.get(key) if isinstance(node, dict) else None
    if not node:
        return None
    is_list = isinstance(node, list)
    has_other = is_list and any(not isinstance(name, str) for name in node)
    if not is_list or has_other:
        raise StockpotError(
            f"{shown_file}: the names of its classes, in the schema's metadata, are no "
            "list of texts; classes: names a file with one class per line"
        )
    names = [class_name(shown_file, name) for name in node]
    for name, count in Counter(names).items():
        if count > 1:
            raise StockpotError(f"{shown_file}: the class {name!r} is listed twice")
    return names


def _require_column(
    file: Path, schema: "pyarrow.Schema", column: str, option: str
) -> None:
    """Refuse a file without the column.

    ``option`` is the config key that the error proposes.
    """
    if column not in schema.names:
        raise StockpotError(
            f"{one_line(file, 150)}: no column {column!r}; there are "
            f"{one_line(', '.join(schema.names), 200)} ({option} names another)"
        )
