"""A CSV file with the path and the label of each image."""

import os
import stat
from pathlib import Path

from pydantic import Field

from ...runtime.digest import sha256_file, short
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..csv_file import read_columns
from ..same_content import Listed, counted_digest, listed
from . import Source, with_defaults
from ._options import OwnFiles
from ._own import Classes, Tally, answered, classes_of, once, tally


class Options(OwnFiles):
    path: str = Field(description="a CSV file with a header, in UTF-8")
    images: str | None = Field(
        None,
        description="folder that relative paths start from, and stay below; by default the CSV "
        "file's",
    )
    path_column: str = Field("path", description="column of paths")
    label_column: str = Field("label", description="column of labels")


SOURCE = Source(options=Options, seeded=False)


Row = tuple[int, str, str]  # line, path, label


def classes(entry, locate):
    return _classes(entry, locate).names


def counts(entry, locate):
    return _classes(entry, locate).counts


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def places(entry, locate):
    """Path and first byte of every image file."""
    file = locate(entry["path"])
    folder = locate(entry["images"]) if entry.get("images") else file.parent
    return [(os.path.join(folder, path), 0) for _, path, _ in _rows(entry, locate)]


def unused(entry, locate):
    """Every row is read, or the file is refused."""
    return {}


def facts(entry, locate, key):
    file, folder = locate(entry["path"]), entry.get("images")
    if not file.is_file():
        hint = "; source: folder reads a folder per class" if file.is_dir() else ""
        raise StockpotError(f"{key}.path: no file {one_line(file, 200)}{hint}")
    images = locate(folder) if folder else file.parent
    if not images.is_dir():
        raise StockpotError(f"{key}.images: no folder {one_line(images, 200)}")
    keep = with_defaults(entry)["duplicates"] == "keep"
    found = _check_images(file, os.path.abspath(images), _rows(entry, locate), keep)
    states = [[image.size, image.time] for image in found]
    # The rows by their content, whatever the date of the file; the images by theirs.
    digest = short([sha256_file(file), counted_digest(file, found, short(states))])
    return {"path": str(file), "images": str(images), "files": digest}


def prepare(spec):
    from ..examples import Examples

    rows = _rows(spec, Path)
    known = _classes(spec, Path)
    names, labels = answered(
        spec, known.names, [known.row[label] for _, _, label in rows]
    )
    images = os.path.abspath(spec["images"])
    file = Path(spec["path"])
    return Examples(
        images=[
            _encoded(images, f"{file}, line {line}", path) for line, path, _ in rows
        ],
        labels=labels,
        class_names=names,
        keys=[path for _, path, _ in rows],
    )


def _encoded(images: str, where: str, path: str):
    from ..examples import File

    return File(_image(images, where, path)[0], listed=where)


def _check_images(file: Path, images: str, rows: list[Row], keep: bool) -> list[Listed]:
    """Every image, with its size and time.

    Raises:
        StockpotError: One is missing, leads out of the folder, or, unless ``keep``, stands in two
            rows: by one path, by two spellings of it, or through a link.
    """
    shown = one_line(file, 150)
    there: list[Listed] = []
    lines, repeated = {}, []
    for line, path, label in rows:
        image, found = _image(images, f"{shown}, line {line}", path)
        if not stat.S_ISREG(found.st_mode):
            raise StockpotError(
                f"{shown}, line {line}: {one_line(path, 150)} is no file"
            )
        there.append(listed(path, image, found))
        before = lines.setdefault((found.st_dev, found.st_ino), (line, path, label))
        if before[0] != line:
            repeated.append((before, (line, path, label)))
    if repeated and not keep:
        (line, path, label), (again, other, second) = repeated[0]
        first = "" if path == other else f" ({one_line(path, 70)})"
        labels = ""
        if label != second:
            labels = f", with the label '{one_line(second, 50)}' and not '{one_line(label, 50)}'"
        more = f"; {len(repeated):,} rows repeat an image" if repeated[1:] else ""
        raise StockpotError(
            f"{shown}, line {again}: {one_line(other, 70)} is the image of line {line}{first} "
            f"again{labels}, and would count twice{more}. List each image once, or say "
            "duplicates: keep"
        )
    return there


def _image(images: str, where: str, path: str) -> tuple[str, os.stat_result]:
    """The file of a row. A path may be absolute; one that is not may not lead out of the folder."""
    absolute = path.startswith("/")
    file = os.path.normpath(path if absolute else f"{images}/{path}")
    if not absolute and not file.startswith(images.rstrip("/") + "/"):
        raise StockpotError(
            f"{where}: {one_line(path, 100)} leads out of {one_line(images, 150)}; an absolute "
            "path may"
        )
    try:
        return file, os.stat(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        missing = "" if isinstance(error, FileNotFoundError) else f" ({reason})"
        raise StockpotError(
            f"{where}: no file {one_line(file, 200)}{missing}"
        ) from error


def _classes(entry, locate) -> Classes:
    entry = with_defaults(entry)
    found = _tally(locate(entry["path"]), entry["path_column"], entry["label_column"])
    return classes_of(entry, found, None)


def _rows(entry, locate) -> list[Row]:
    entry = with_defaults(entry)
    return _read(locate(entry["path"]), entry["path_column"], entry["label_column"])


@once
def _tally(file: Path, path_column: str, label_column: str) -> Tally:
    shown = one_line(file, 150)
    rows = _read(file, path_column, label_column)
    return tally((f"{shown}, line {line}", label) for line, _, label in rows)


@once
def _read(file: Path, path_column: str, label_column: str) -> list[Row]:
    """(line, path, label) of every row."""
    columns = {
        path_column: "path_column names another",
        label_column: "label_column names another",
    }
    if path_column == label_column:
        raise StockpotError(
            f"{one_line(file, 200)}: path_column and label_column are one column"
        )
    found = []
    for line, values in read_columns(file, columns):
        for column, value in zip(columns, values):
            if not value:
                raise StockpotError(f"{one_line(file, 200)}, line {line}: no {column}")
        found.append((line, *values))
    if not found:
        raise StockpotError(f"{one_line(file, 200)}: no rows below the header")
    return found
