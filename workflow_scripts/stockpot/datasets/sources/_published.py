"""What the sources of published data sets share.

``Published`` describes one data set. It answers the questions that planning asks (see the package's
docstring) and turns lists of files into ``Examples``. The other functions read the files that
published data sets come with: class lists, CIFAR's records, JSON and CSV files.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...runtime.digest import short
from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ...runtime.regular_files import open_regular
from ..listing import class_folders, files_below
from . import Entry, Facts, Locate, PrepareSpec, with_defaults
from .folder import NOT_READ, SUFFIXES

if TYPE_CHECKING:
    import numpy as np

    from ..examples import Examples

CLASSES = Path(__file__).parents[4] / "resources/classes"
DOCS = "docs/guide/datasets.md"
LAYOUT = f"{DOCS} has the layout"

# Image path below a root, and its class.
ImageRow = tuple[str, str]

# CIFAR's images: side in pixels, and bytes of the three channels of one image.
CIFAR_SIDE = 32
CIFAR_BYTES = 3 * CIFAR_SIDE * CIFAR_SIDE


@cache
def class_table(name: str) -> list[dict[str, str]]:
    """Read a class list of resources/classes.

    Args:
        name: File name without .csv.

    Returns:
        Its rows, in the order of the labels.
    """
    with open(
        CLASSES / f"{name}.csv",
        newline="",
        encoding="utf-8",
    ) as file:
        return list(csv.DictReader(file))


def class_column(name: str, key: str = "class") -> list[str]:
    """Read one column of a class list.

    Args:
        name: File name without .csv.
        key: Heading of the column; by default that of the class names.

    Returns:
        The column, in the order of the labels.
    """
    return [row[key] for row in class_table(name)]


def prompt_names(name: str) -> dict[str, str]:
    """Read what prompts call the classes of a class list.

    Args:
        name: File name without .csv.

    Returns:
        Class -> text for prompts.
    """
    return {row["class"]: row["name"] for row in class_table(name)}


def imagenet_classes(name: str) -> dict[str, list[str]]:
    """Read which ImageNet classes stand for the classes of a class list.

    Args:
        name: File name without .csv.

    Returns:
        Class -> WordNet ids of ImageNet; of some classes none.
    """
    return {row["class"]: row["imagenet"].split() for row in class_table(name)}


def spread_evenly(total: int, classes: int) -> list[int]:
    """Spread a number of images over classes, where the number of each is not known.

    Args:
        total: Number of all images.
        classes: Number of classes.

    Returns:
        Number of images of each class; the first classes get what does not divide.
    """
    smaller = total // classes
    remainder = total % classes
    # For example 10 images of 4 classes: 3, 3, 2, 2.
    larger_classes = [smaller + 1] * remainder
    smaller_classes = [smaller] * (classes - remainder)
    return larger_classes + smaller_classes


def _values_as_text(entry: Entry, options: tuple[str, ...]) -> str:
    return " ".join(str(entry[option]) for option in options)


def _any_folder(entry: Entry) -> tuple[str, ...]:
    """The folders of a data set that has one per class."""
    return ("*/",)


@dataclass(frozen=True)
class Published:
    """What is known of a published data set before its files are there.

    Attributes:
        class_names: In the order of its labels.
        prompt_names: Class -> what prompts call it.
        image_counts: Entry of the config -> number of images per class.
        top_folders: Folders of the archive that may or may not lie below the entry's path.
        watched: Entry -> glob patterns, below the top folder, of what changes with the set. Each
            pattern must match something.
        part_options: Options that say which images an entry has.
        split_options: Options that are the number of a published split; ``part_options`` then name
            a part of that split.
        merged: Class -> WordNet ids of the ImageNet classes that stand for it.
    """

    class_names: list[str]
    prompt_names: dict[str, str]
    image_counts: Callable[[Entry], list[int]]
    top_folders: tuple[str, ...] = ()
    watched: Callable[[Entry], Iterable[str]] = _any_folder
    part_options: tuple[str, ...] = ()
    split_options: tuple[str, ...] = ()
    merged: dict[str, list[str]] = field(default_factory=dict)

    def classes(self, entry: Entry, locate: Locate) -> list[str]:
        """Answer ``classes`` of the package's docstring.

        Args:
            entry: An entry of the config.
            locate: Turns a path of the config into where the file is.

        Returns:
            Class names, in the order of the labels.
        """
        return list(self.class_names)

    def texts(self, entry: Entry, locate: Locate) -> dict[str, str]:
        """Answer ``texts`` of the package's docstring.

        Args:
            entry: An entry of the config.
            locate: Turns a path of the config into where the file is.

        Returns:
            Class -> text for prompts.
        """
        return {name: self.prompt_names[name] for name in self.class_names}

    def merges(self, entry: Entry, locate: Locate) -> dict[str, list[str]]:
        """Answer ``merges`` of the package's docstring.

        Args:
            entry: An entry of the config.
            locate: Turns a path of the config into where the file is.

        Returns:
            Class -> WordNet ids of the ImageNet classes that stand for it.
        """
        return self.merged

    def counts(self, entry: Entry, locate: Locate) -> list[int]:
        """Answer ``counts`` of the package's docstring.

        Args:
            entry: An entry of the config.
            locate: Turns a path of the config into where the file is.

        Returns:
            Number of images of each class.
        """
        return self.image_counts(with_defaults(entry))

    def identity(self, entry: Entry, locate: Locate) -> str | tuple[str, str, str]:
        """Answer ``identity`` of the package's docstring.

        Args:
            entry: An entry of the config.
            locate: Turns a path of the config into where the file is.

        Returns:
            Folder and part as one text; (folder, split, part) of a data set with several splits.
        """
        entry = with_defaults(entry)
        folder = str(locate(entry["path"]).resolve())
        split = _values_as_text(entry, self.split_options)
        part = _values_as_text(entry, self.part_options)
        # A part of one split may share images with a part of another one.
        if split:
            return folder, split, part
        return f"{folder} {part}"

    def facts(
        self,
        entry: Entry,
        locate: Locate,
        key: str,
    ) -> Facts:
        """Answer ``facts`` of the package's docstring.

        Args:
            entry: An entry of the config.
            locate: Turns a path of the config into where the file is.
            key: Key of the entry in the config, for errors.

        Returns:
            "path" -> the folder, "known" -> a digest of the classes, "files" -> a digest of the
            state of the watched files, unless they are fetched.

        Raises:
            StockpotError: The folder is missing, or a watched file in it.
        """
        entry = with_defaults(entry)
        folder = locate(entry["path"])
        # A changed class list in resources/ makes ``prepare`` run again.
        known = short([self.class_names, self.merged])
        if entry.get("download"):
            # What is downloaded has a checksum. Its files would look changed once they are there,
            # and so would a path that is looked up.
            return {"path": entry["path"], "known": known}
        # Only sources with an archive have the option.
        if not folder.is_dir():
            hint = ", or say download: true" if "download" in entry else ""
            raise StockpotError(
                f"{key}.path: no folder {folder}; place the data there ({DOCS}){hint}"
            )
        root = self.root(folder)
        watched_paths = self._watched_paths(root, entry, key)
        digest = state_digest(root, watched_paths)
        return {"path": str(folder), "known": known, "files": digest}

    def _watched_paths(
        self,
        root: Path,
        entry: Entry,
        key: str,
    ) -> list[Path]:
        """Files and folders of all watched patterns; StockpotError where a pattern has none."""
        paths: list[Path] = []
        for pattern in self.watched(entry):
            matching_paths = sorted(root.glob(pattern))
            if not matching_paths:
                raise StockpotError(f"{key}.path: {root} holds no {pattern}; {LAYOUT}")
            paths += matching_paths
        return paths

    def root(self, folder: str | Path) -> Path:
        """Find the folder that holds the data set's files.

        Args:
            folder: Path of the entry.

        Returns:
            The archive's own top folder, or ``folder`` where the archive's content lies in that.
        """
        for name in self.top_folders:
            top_folder = Path(folder) / name
            if top_folder.is_dir():
                return top_folder
        return Path(folder)

    def by_class(self, spec: PrepareSpec) -> "Examples":
        """List the images of a data set whose folders have the names of the classes.

        Args:
            spec: The entry with defaults, and its facts.

        Returns:
            The images, sorted by class and path.

        Raises:
            StockpotError: There is no image, or a folder of no class.
        """
        root = self.root(spec["path"])
        folders = {name: name for name in self.class_names}
        return self.listed(root, in_folders(root, folders))

    def listed(
        self, root: Path, rows: Iterable[ImageRow], border: int = 0, **scoring: Any
    ) -> "Examples":
        """Make ``Examples`` of a list of image files.

        Args:
            root: The folder that paths are relative to.
            rows: Path and class of each image.
            border: Pixels that are cut from every side of an image.
            scoring: Fields of ``Scoring``.

        Returns:
            The examples in the order of ``rows``.

        Raises:
            StockpotError: A class is none of the data set's.
        """
        from ..dataset import Scoring
        from ..examples import Examples, ImageFile

        # Rows may be an iterator, and are gone through several times.
        rows = list(rows)
        class_index = {name: index for index, name in enumerate(self.class_names)}
        for path, name in rows:
            if name not in class_index:
                first_names = ", ".join(self.class_names[:3])
                raise StockpotError(
                    f"{root / path}: its class {name!r} is none of the "
                    f"{len(class_index)} ({first_names}, …)"
                )
        return Examples(
            images=[ImageFile(str(root / path)) for path, _ in rows],
            labels=[class_index[name] for _, name in rows],
            class_names=list(self.class_names),
            keys=[path for path, _ in rows],
            scoring=Scoring(merges=self.merged, **scoring),
            border=border,
        )


def in_arrays(
    known: Published, file: Path, images: "np.ndarray", labels: "np.ndarray"
) -> "Examples":
    """Make ``Examples`` of arrays that a file holds.

    Args:
        known: The data set.
        file: The file, for names and errors.
        images: uint8 [n, 32, 32, 3].
        labels: [n].

    Returns:
        The examples in the order of the arrays.

    Raises:
        StockpotError: The arrays have another type or shape.
    """
    import numpy as np

    from ..examples import Examples, Pixels

    count = labels.size
    expected_shape = (count, CIFAR_SIDE, CIFAR_SIDE, 3)
    is_expected = images.dtype == np.uint8 and images.shape == expected_shape
    if not is_expected or labels.ndim != 1:
        shape = list(images.shape)
        raise StockpotError(
            f"{file}: images are {images.dtype} {shape}, not uint8 "
            f"[{count}, 32, 32, 3] for {count} labels"
        )
    names = [f"{file.name} {row}" for row in range(count)]
    pixels: list[Pixels] = []
    for image, name in zip(images, names):
        pixels.append(Pixels(image, name))
    return Examples(
        pixels,
        labels,
        list(known.class_names),
        names,
    )


def in_records(
    known: Published,
    files: list[Path],
    labels: int,
) -> "Examples":
    """Make ``Examples`` of CIFAR's binary files.

    A record is the labels of an image and its pixels, channel by channel, one byte each.

    Args:
        known: The data set.
        files: The files, in the order of the images.
        labels: Number of labels per record; the last one counts.

    Returns:
        The examples in the order of the files.

    Raises:
        StockpotError: A file cannot be read, or does not hold whole records.
    """
    import numpy as np

    record_bytes = labels + CIFAR_BYTES
    contents = []
    for file in files:
        with reading(file):
            content = np.fromfile(file, np.uint8)
        # An empty file would be a whole number of records.
        if not len(content) or len(content) % record_bytes:
            raise StockpotError(
                f"{file}: {len(content)} bytes are no whole number of images of "
                f"{record_bytes}; is it cut short?"
            )
        contents.append(content)
    # From [n, record] over [n, channel, row, column] to [n, row, column, channel].
    records = np.concatenate(contents).reshape(-1, record_bytes)
    channels = records[:, labels:].reshape(
        -1,
        3,
        CIFAR_SIDE,
        CIFAR_SIDE,
    )
    pixels = np.ascontiguousarray(channels.transpose(0, 2, 3, 1))
    return in_arrays(
        known,
        files[0],
        pixels,
        records[:, labels - 1],
    )


def in_folders(
    root: Path, folders: dict[str, str], *, others: bool = False
) -> list[ImageRow]:
    """List the images in one sub-folder per class.

    Args:
        root: The folder that has the sub-folders.
        folders: Sub-folder -> class. Not all need be there.
        others: May there be other folders? They are left out.

    Returns:
        Path below ``root`` and class of each image, sorted by folder and path.

    Raises:
        StockpotError: There is no image, an image of a kind that is not read, or a folder of no
            class.
    """
    expected_folders = ", ".join([*list(folders)[:3], "…"])
    rows: list[ImageRow] = []
    present_folders = class_folders(root) if root.is_dir() else []
    for folder in present_folders:
        if folder in folders:
            for file in _images_below(root / folder):
                path = file.relative_to(root).as_posix()
                rows.append((path, folders[folder]))
        elif not others:
            raise StockpotError(
                f"{root / folder}: no class of this data set, whose folders are "
                f"{expected_folders}"
            )
    if not rows:
        raise StockpotError(
            f"{root}: no images in folders {expected_folders}; {LAYOUT}"
        )
    return rows


def _images_below(folder: Path) -> list[Path]:
    """Images below a folder; StockpotError where one is of a kind that is not read."""
    files = files_below(folder)
    unreadable = [file for file in files if file.suffix.lower() in NOT_READ]
    if unreadable:
        example = one_line(unreadable[0], 200)
        suffixes = ", ".join(sorted(SUFFIXES))
        raise StockpotError(
            f"{example}: an image of a kind that is not read, as are "
            f"{len(unreadable) - 1} others there; read are {suffixes}"
        )
    return [file for file in files if file.suffix.lower() in SUFFIXES]


def state_digest(root: Path, paths: list[Path]) -> str:
    """Digest the state of files and folders, without looking into them.

    Args:
        root: The folder that names are relative to.
        paths: The files and folders.

    Returns:
        Digest of names and times, and of the sizes of files.
    """
    states = []
    for path in paths:
        status = path.stat()
        name = path.relative_to(root).as_posix()
        # The size of a folder says nothing.
        size = status.st_size if path.is_file() else False
        states.append([name, status.st_mtime_ns, size])
    return short(states)


@contextmanager
def reading(path: Path, hint: str = LAYOUT) -> Iterator[None]:
    """Turn every error of the block into one line that names the file.

    Args:
        path: The file that the block reads.
        hint: What the line ends with.

    Raises:
        StockpotError: The file is missing, or not what it should be.
    """
    # Errors of this package have their line already.
    try:
        yield
    except StockpotError:
        raise
    except OSError as error:
        reason = one_line(error.strerror or error, 150)
        raise StockpotError(f"{one_line(path, 200)}: {reason}; {hint}") from error
    except Exception as error:  # libraries raise what they like
        text = f"{type(error).__name__}: {error}".strip(": ")
        reason = one_line(text, 150)
        raise StockpotError(
            f"{one_line(path, 200)}: not readable ({reason}); {hint}"
        ) from error


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Args:
        path: The file.

    Returns:
        Its content.

    Raises:
        StockpotError: The file cannot be read.
    """
    # open_regular refuses pipes and devices, which might never end.
    with reading(path), open_regular(path) as file:
        return json.load(file)


def read_lines(path: Path) -> list[str]:
    """Read the lines of a list.

    Args:
        path: A text file in UTF-8, with or without a byte order mark.

    Returns:
        Its lines without surrounding spaces, except empty ones.

    Raises:
        StockpotError: The file cannot be read.
    """
    with reading(path), open_regular(path) as file:
        lines = file.read().decode("utf-8-sig").splitlines()
    return [line.strip() for line in lines if line.strip()]


def read_csv(path: Path, *columns: str) -> Iterator[list[str]]:
    """Read some columns of a CSV file with a header.

    Args:
        path: A file in UTF-8, with or without a byte order mark.
        columns: Headings of the columns.

    Yields:
        The values of these columns of one row.

    Raises:
        StockpotError: The file cannot be read, or lacks a column.
    """
    with reading(path), open_regular(path) as file:
        # newline="": the csv module looks at line breaks itself.
        text = io.TextIOWrapper(
            file,
            encoding="utf-8-sig",
            newline="",
        )
        rows = csv.reader(text, strict=True)
        header = next(rows, [])
        # A missing column is a ValueError of index(), which ``reading`` turns into a line.
        positions = [header.index(column) for column in columns]
        for row in rows:
            yield [row[position] for position in positions]
