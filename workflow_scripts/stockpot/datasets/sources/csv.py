"""A CSV file with the path and the label of each image."""

import csv
import os
from pathlib import Path

from ...digest import sha256_file, short
from ...errors import StockpotError
from . import with_defaults
from ._own import names_of, once, per_class, places_of
from ._published import reading

OPTIONS = {
    "path": {"description": "a CSV file with a header, in UTF-8", "type": "string"},
    "images": {
        "description": "folder that relative paths start from, and stay below; by default the "
        "CSV file's",
        "type": "string",
        "default": None,
    },
    "path_column": {"type": "string", "default": "path"},
    "label_column": {"type": "string", "default": "label"},
}
ENCODED = True
SEEDED = False


def classes(entry, locate):
    return names_of(_labels(_rows(entry, locate)), None)


def counts(entry, locate):
    found = _labels(_rows(entry, locate))
    names = names_of(found, None)
    return per_class(places_of(found, names), names)


def identity(entry, locate):
    return str(locate(entry["path"]).resolve())


def facts(entry, locate, key):
    file, folder = locate(entry["path"]), entry.get("images")
    if not file.is_file():
        hint = "; source: folder reads a folder per class" if file.is_dir() else ""
        raise StockpotError(f"{key}.path: no file {file}{hint}")
    images = locate(folder) if folder else file.parent
    if not images.is_dir():
        raise StockpotError(f"{key}.images: no folder {images}")
    changed = []
    for where, path, _ in _rows(entry, locate):
        stat = _image(Path(os.path.abspath(images)), where, path).stat()
        changed.append([stat.st_size, stat.st_mtime_ns])
    return {"path": str(file), "images": str(images), "files": short([sha256_file(file), changed])}


def prepare(spec):
    from ..examples import Examples, File

    rows = _rows(spec, Path)
    found = _labels(rows)
    names = names_of(found, None)
    images = Path(os.path.abspath(spec["images"]))
    return Examples(
        images=[File(str(_image(images, where, path))) for where, path, _ in rows],
        labels=places_of(found, names),
        class_names=names,
        keys=[path for _, path, _ in rows],
    )


def _image(images: Path, where: str, path: str) -> Path:
    """A path may be absolute; one that is not may not lead out of the folder."""
    file = Path(os.path.normpath(images / path))
    if not os.path.isabs(path) and not file.is_relative_to(images):
        raise StockpotError(f"{where}: {path} leads out of {images}; an absolute path may")
    if not file.is_file():
        raise StockpotError(f"{where}: no file {file}")
    return file


def _labels(rows):
    return [(where, label) for where, _, label in rows]


def _rows(entry, locate) -> list[tuple[str, str, str]]:
    entry = with_defaults(entry)
    return _read(locate(entry["path"]), entry["path_column"], entry["label_column"])


def _separator(columns: list[str] | None) -> str:
    """A hint for a file that another program's habits have shaped."""
    found = [mark for mark in (";", "\t") if any(mark in column for column in columns or [])]
    return "; columns are separated by commas here" if found else ""


@once
def _read(file: Path, path_column: str, label_column: str) -> list[tuple[str, str, str]]:
    """(where it stands, path, label) of every row."""
    found = []
    with (
        reading(file, "a CSV file in UTF-8 is wanted"),
        # A mark at the beginning is what Excel writes.
        open(file, newline="", encoding="utf-8-sig") as stream,
    ):
        rows = csv.DictReader(stream)
        for option, column in (("path_column", path_column), ("label_column", label_column)):
            if column not in (rows.fieldnames or []):
                raise StockpotError(
                    f"{file}: no column {column!r}; there are "
                    f"{', '.join(rows.fieldnames or []) or 'none'} ({option} names another)"
                    + _separator(rows.fieldnames)
                )
        for row in rows:
            where = f"{file}, line {rows.line_num}"
            values = [(row[column] or "").strip() for column in (path_column, label_column)]
            for column, value in zip((path_column, label_column), values):
                if not value:
                    raise StockpotError(f"{where}: no {column}")
            found.append((where, *values))
    if not found:
        raise StockpotError(f"{file}: no rows below the header")
    return found
