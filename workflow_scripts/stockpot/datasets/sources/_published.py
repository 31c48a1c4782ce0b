"""What the sources of published data sets have in common."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ...runtime.digest import short
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import open_regular
from ..listing import class_folders, files_below
from . import with_defaults
from .folder import NOT_READ, SUFFIXES

CLASSES = Path(__file__).parents[4] / "resources/classes"
DOCS = "docs/guide/datasets.md"
LAYOUT = f"{DOCS} has the layout"


@cache
def table(name: str) -> list[dict[str, str]]:
    """Rows of a class list, in the order of the labels."""
    with open(CLASSES / f"{name}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def column(name: str, key: str = "class") -> list[str]:
    return [row[key] for row in table(name)]


def named(name: str) -> dict[str, str]:
    """class -> what prompts call it"""
    return {row["class"]: row["name"] for row in table(name)}


def merged(name: str) -> dict[str, list[str]]:
    """class -> the WordNet ids of ImageNet that stand for it; for some, none do"""
    return {row["class"]: row["imagenet"].split() for row in table(name)}


def even(total: int, classes: int) -> list[int]:
    """A total spread over classes, where the number of each is not known."""
    return [total // classes + (row < total % classes) for row in range(classes)]


@dataclass(frozen=True)
class Published:
    """What is known of a data set before its files are there.

    class_names: in the order of its labels. names: class -> what prompts call it. images: entry ->
    images per class. tops: folders of the archive that may or may not lie below the entry's path.
    watched: entry -> patterns, below them, of what changes with the set; each must find
    something. part: options that say which images an entry has, of those that ``split`` says are
    numbers of a split. merged: class -> the WordNet ids
    of ImageNet that stand for it.
    """

    class_names: list[str]
    names: dict[str, str]
    images: Callable[[dict], list[int]]
    tops: tuple[str, ...] = ()
    watched: Callable[[dict], Iterable[str]] = lambda entry: ("*/",)
    part: tuple[str, ...] = ()
    split: tuple[str, ...] = ()
    merged: dict[str, list[str]] = field(default_factory=dict)

    def classes(self, entry, locate):
        return list(self.class_names)

    def texts(self, entry, locate):
        return {name: self.names[name] for name in self.class_names}

    def merges(self, entry, locate):
        return self.merged

    def counts(self, entry, locate):
        return self.images(with_defaults(entry))

    def identity(self, entry, locate):
        entry = with_defaults(entry)
        read = str(locate(entry["path"]).resolve())
        split, part = (
            " ".join(str(entry[o]) for o in found) for found in (self.split, self.part)
        )
        return (read, split, part) if split else f"{read} {part}"

    def facts(self, entry, locate, key):
        entry = with_defaults(entry)
        folder = locate(entry["path"])
        own = {"path": str(folder), "known": short([self.class_names, self.merged])}
        if entry.get("download"):
            # What is downloaded has a checksum, and would look changed once it is there; so would
            # a path that is looked up.
            return {**own, "path": entry["path"]}
        if not folder.is_dir():
            hint = ", or say download: true" if "download" in entry else ""
            raise StockpotError(
                f"{key}.path: no folder {folder}; place the data there ({DOCS}){hint}"
            )
        root, found = self.root(folder), []
        for pattern in self.watched(entry):
            fitting = sorted(root.glob(pattern))
            if not fitting:
                raise StockpotError(f"{key}.path: {root} holds no {pattern}; {LAYOUT}")
            found += fitting
        return {**own, "files": changes(root, found)}

    def root(self, folder: str | Path) -> Path:
        """The archive's own top folder, or the given one where its content lies in that."""
        tops = (Path(folder) / top for top in self.tops)
        return next((top for top in tops if top.is_dir()), Path(folder))

    def by_class(self, spec):
        """``prepare`` of a set whose folders have the names of the classes."""
        root = self.root(spec["path"])
        return self.listed(
            root, in_folders(root, {name: name for name in self.class_names})
        )

    def listed(
        self, root: Path, rows: Iterable[tuple[str, str]], border: int = 0, **scoring
    ):
        """Examples of (path below ``root``, class), in their order. scoring: see ``Scoring``."""
        from ..dataset import Scoring
        from ..examples import Examples, File

        rows = list(rows)
        place = {name: label for label, name in enumerate(self.class_names)}
        for path, name in rows:
            if name not in place:
                raise StockpotError(
                    f"{root / path}: its class {name!r} is none of the {len(place)} "
                    f"({', '.join(self.class_names[:3])}, …)"
                )
        return Examples(
            images=[File(str(root / path)) for path, _ in rows],
            labels=[place[name] for _, name in rows],
            class_names=list(self.class_names),
            keys=[path for path, _ in rows],
            scoring=Scoring(merges=self.merged, **scoring),
            border=border,
        )


def in_arrays(known: Published, file: Path, images, labels):
    """Examples of arrays that a file holds, uint8 [n, 32, 32, 3] and [n]."""
    import numpy as np

    from ..examples import Examples, Pixels

    n = labels.size
    if images.dtype != np.uint8 or images.shape != (n, 32, 32, 3) or labels.ndim != 1:
        raise StockpotError(
            f"{file}: images are {images.dtype} {list(images.shape)}, not uint8 "
            f"[{n}, 32, 32, 3] for {n} labels"
        )
    names = [f"{file.name} {row}" for row in range(n)]
    pixels = [Pixels(image, name) for image, name in zip(images, names)]
    return Examples(pixels, labels, list(known.class_names), names)


def in_records(known: Published, files: list[Path], labels: int):
    """Examples of CIFAR's binary files: per image so many labels, the last of which counts, then
    its pixels, channel by channel."""
    import numpy as np

    found = []
    for file in files:
        with reading(file):
            found.append(np.fromfile(file, np.uint8))
        if not len(found[-1]) or len(found[-1]) % (labels + 3072):
            raise StockpotError(
                f"{file}: {len(found[-1])} bytes are no whole number of images of "
                f"{labels + 3072}; is it cut short?"
            )
    records = np.concatenate(found).reshape(-1, labels + 3072)
    pixels = records[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return in_arrays(
        known, files[0], np.ascontiguousarray(pixels), records[:, labels - 1]
    )


def in_folders(
    root: Path, folders: dict[str, str], others: bool = False
) -> list[tuple[str, str]]:
    """(path below ``root``, class) of the images in one sub-folder per class.

    folders: sub-folder -> class; not all need be there. others: may be there too, and are left
    out.
    """
    wanted, rows = ", ".join([*list(folders)[:3], "…"]), []
    for folder in class_folders(root) if root.is_dir() else []:
        if folder in folders:
            files = files_below(root / folder)
            unread = [file for file in files if file.suffix.lower() in NOT_READ]
            if unread:
                raise StockpotError(
                    f"{one_line(unread[0], 200)}: an image of a kind that is not read, as are "
                    f"{len(unread) - 1} others there; read are {', '.join(sorted(SUFFIXES))}"
                )
            rows += [
                (file.relative_to(root).as_posix(), folders[folder])
                for file in files
                if file.suffix.lower() in SUFFIXES
            ]
        elif not others:
            raise StockpotError(
                f"{root / folder}: no class of this data set, whose folders are {wanted}"
            )
    if not rows:
        raise StockpotError(f"{root}: no images in folders {wanted}; {LAYOUT}")
    return rows


def changes(root: Path, found: list[Path]) -> str:
    """Digest of names, times, and the sizes of files: does not look into folders."""
    known = [(path, path.stat()) for path in found]
    return short(
        [
            [
                path.relative_to(root).as_posix(),
                s.st_mtime_ns,
                path.is_file() and s.st_size,
            ]
            for path, s in known
        ]
    )


@contextmanager
def reading(path: Path, hint: str = LAYOUT) -> Iterator[None]:
    """A file that is missing, or not what it should be, becomes one line that names it."""
    try:
        yield
    except StockpotError:
        raise
    except OSError as error:
        reason = one_line(error.strerror or error, 150)
        raise StockpotError(f"{one_line(path, 200)}: {reason}; {hint}") from error
    except Exception as error:  # libraries raise what they like
        reason = one_line(f"{type(error).__name__}: {error}".strip(": "), 150)
        raise StockpotError(
            f"{one_line(path, 200)}: not readable ({reason}); {hint}"
        ) from error


def read_json(path: Path):
    with reading(path), open_regular(path) as file:
        return json.load(file)


def read_lines(path: Path) -> list[str]:
    """Lines of a list, without empty ones."""
    with reading(path), open_regular(path) as file:
        lines = file.read().decode("utf-8-sig").splitlines()
    return [line.strip() for line in lines if line.strip()]


def read_csv(path: Path, *columns: str) -> Iterator[list[str]]:
    """The wanted columns of every row."""
    with reading(path), open_regular(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        rows = csv.reader(text, strict=True)
        header = next(rows, [])
        places = [header.index(column) for column in columns]
        for row in rows:
            yield [row[place] for place in places]
