"""A CSV file with the path and the label of each image."""

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field

from ...runtime.digest import sha256_file, short
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..csv_file import read_columns
from ..same_content import ListedFile, counted_digest, listed_file
from . import Entry, Facts, Locate, PrepareSpec, Source, with_defaults
from ._options import UserFiles
from ._own import (
    Classes,
    LabelCounts,
    among_answer_classes,
    cached_per_file,
    classes_of,
    count_labels,
)

if TYPE_CHECKING:
    from ..examples import Examples
    from ._own import Unused


class Options(UserFiles):
    """Options of the source ``csv``."""

    path: str = Field(description="a CSV file with a header, in UTF-8")
    image_folder: str | None = Field(
        None,
        description="folder that relative paths start from; they must stay below it; by "
        "default the folder of the CSV file",
    )
    path_column: str = Field("path", description="column of paths")
    label_column: str = Field("label", description="column of labels")


SOURCE = Source(options=Options, seeded=False)


class Row(NamedTuple):
    """One image of the CSV file.

    Attributes:
        line: Number of its line.
        path: Path of the image as the file has it.
        label: Its label.
    """

    line: int
    path: str
    label: str


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names: the labels of the file.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Class names, sorted.

    Raises:
        StockpotError: The file cannot be read.
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
        StockpotError: The file cannot be read.
    """
    return _classes(entry, locate).counts


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read: the CSV file.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Its absolute path, with all links followed.
    """
    return str(locate(entry["path"]).resolve())


def byte_positions(entry: Entry, locate: Locate) -> list[tuple[str, int]]:
    """List where each image begins.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Path and first byte of every image; the latter is always 0.
    """
    folder = locate(entry["path"]).parent
    if entry.get("image_folder"):
        folder = locate(entry["image_folder"])
    rows = _rows(entry, locate)
    return [(os.path.join(folder, row.path), 0) for row in rows]


def unused(entry: Entry, locate: Locate) -> "Unused":
    """Count what is not read: nothing, as a file with a row that is not read is refused.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        An empty dict.
    """
    return {}


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Check all images of the file and digest their state.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        "path" -> the file, "image_folder" -> the folder of the images, "files" -> a digest of
        the rows and of sizes and dates of the images.

    Raises:
        StockpotError: A file or the folder is missing, or the rows are wrong.
    """
    # A user may have given the folder of the images.
    file = locate(entry["path"])
    if not file.is_file():
        hint = "; source: folder reads a folder per class" if file.is_dir() else ""
        raise StockpotError(f"{key}.path: no file {one_line(file, 200)}{hint}")
    folder = file.parent
    if entry.get("image_folder"):
        folder = locate(entry["image_folder"])
    if not folder.is_dir():
        raise StockpotError(f"{key}.image_folder: no folder {one_line(folder, 200)}")
    rows = _rows(entry, locate)
    may_repeat = with_defaults(entry)["duplicates"] == "keep"
    images = _check_images(
        file,
        os.path.abspath(folder),
        rows,
        may_repeat=may_repeat,
    )
    states = [[image.size, image.time] for image in images]
    # The rows count by their content, whatever the date of the file; the images count by theirs.
    image_digest = counted_digest(file, images, short(states))
    digest = short([sha256_file(file), image_digest])
    return {"path": str(file), "image_folder": str(folder), "files": digest}


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images with their class indices.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the rows.

    Raises:
        StockpotError: A file is missing, or the rows are wrong.
    """
    from ..examples import Examples, ImageFile

    rows = _rows(spec, Path)
    own_classes = _classes(spec, Path)
    labels = [own_classes.index[row.label] for row in rows]
    class_names, labels = among_answer_classes(spec, own_classes.names, labels)
    # As ``facts`` did, so that both refuse and accept the same paths.
    folder = os.path.abspath(spec["image_folder"])
    file = Path(spec["path"])
    images: list[ImageFile] = []
    for row in rows:
        where = f"{file}, line {row.line}"
        image_path, _ = _locate_image(folder, where, row.path)
        images.append(ImageFile(image_path, listed=where))
    return Examples(
        images=images,
        labels=labels,
        class_names=class_names,
        keys=[row.path for row in rows],
    )


def _check_images(
    file: Path, folder: str, rows: list[Row], *, may_repeat: bool
) -> list[ListedFile]:
    """Every image, with its size and time.

    Raises:
        StockpotError: One is missing, leads out of the folder, or, unless ``may_repeat``, stands in
            two rows: by one path, by two spellings of it, or through a link.
    """
    shown_file = one_line(file, 150)
    images: list[ListedFile] = []
    first_rows: dict[tuple[int, int], Row] = {}
    repeated: list[tuple[Row, Row]] = []
    for row in rows:
        where = f"{shown_file}, line {row.line}"
        image, status = _locate_image(folder, where, row.path)
        if not stat.S_ISREG(status.st_mode):
            raise StockpotError(f"{where}: {one_line(row.path, 150)} is no file")
        images.append(listed_file(row.path, image, status))
        # Device and inode are equal for all paths and links to one file.
        inode = (status.st_dev, status.st_ino)
        first_row = first_rows.setdefault(inode, row)
        if first_row is not row:
            repeated.append((first_row, row))
    # Reported after all rows, so that the error can say how many there are.
    if repeated and not may_repeat:
        raise _repeated_image(shown_file, repeated)
    return images


def _repeated_image(shown_file: str, repeated: list[tuple[Row, Row]]) -> StockpotError:
    """The error of rows that repeat an image. repeated: the first row and a later one of each."""
    first, later = repeated[0]
    other_path = ""
    if first.path != later.path:
        other_path = f" ({one_line(first.path, 70)})"
    labels = ""
    if first.label != later.label:
        later_label = one_line(later.label, 50)
        first_label = one_line(first.label, 50)
        labels = f", with the label '{later_label}' and not '{first_label}'"
    more = ""
    if len(repeated) > 1:
        more = f"; {len(repeated):,} rows repeat an image"
    shown_path = one_line(later.path, 70)
    return StockpotError(
        f"{shown_file}, line {later.line}: {shown_path} is the image of line "
        f"{first.line}{other_path} again{labels}, and would count twice{more}. List each image "
        "once, or say duplicates: keep"
    )


def _locate_image(
    folder: str,
    where: str,
    path: str,
) -> tuple[str, os.stat_result]:
    """The file of a row. A path may be absolute; one that is not may not lead out of the folder."""
    if path.startswith("/"):
        file = os.path.normpath(path)
    else:
        file = os.path.normpath(f"{folder}/{path}")
        # After normpath, so that a/../../b is seen for what it is.
        if not file.startswith(folder.rstrip("/") + "/"):
            shown_path = one_line(path, 100)
            raise StockpotError(
                f"{where}: {shown_path} leads out of {one_line(folder, 150)}; only an absolute "
                "path may do so"
            )
    # os.stat follows links, so a link counts as the file that it leads to.
    try:
        return file, os.stat(file)
    except FileNotFoundError as error:
        raise StockpotError(f"{where}: no file {one_line(file, 200)}") from error
    except (OSError, ValueError) as error:
        # ValueError is that of a path with a zero byte.
        reason = getattr(error, "strerror", None) or str(error)
        raise StockpotError(
            f"{where}: no file {one_line(file, 200)} ({reason})"
        ) from error


def _classes(entry: Entry, locate: Locate) -> Classes:
    entry = with_defaults(entry)
    file = locate(entry["path"])
    label_counts = _label_counts(file, entry["path_column"], entry["label_column"])
    return classes_of(entry, label_counts, None)


def _rows(entry: Entry, locate: Locate) -> list[Row]:
    entry = with_defaults(entry)
    return _read(locate(entry["path"]), entry["path_column"], entry["label_column"])


@cached_per_file
def _label_counts(
    file: Path,
    path_column: str,
    label_column: str,
) -> LabelCounts:
    shown_file = one_line(file, 150)
    rows = _read(file, path_column, label_column)
    return count_labels((f"{shown_file}, line {row.line}", row.label) for row in rows)


@cached_per_file
def _read(
    file: Path,
    path_column: str,
    label_column: str,
) -> list[Row]:
    """All rows of the file."""
    shown_file = one_line(file, 200)
    if path_column == label_column:
        raise StockpotError(
            f"{shown_file}: path_column and label_column are the same column"
        )
    # Column -> what an error adds where the file lacks it.
    columns = {
        path_column: "path_column names another",
        label_column: "label_column names another",
    }
    rows: list[Row] = []
    for line, values in read_columns(file, columns):
        for column, value in zip(columns, values):
            if not value:
                raise StockpotError(f"{shown_file}, line {line}: no {column}")
        path, label = values
        rows.append(Row(line, path, label))
    if not rows:
        raise StockpotError(f"{shown_file}: no rows below the header")
    return rows
