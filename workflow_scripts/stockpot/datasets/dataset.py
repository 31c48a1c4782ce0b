"""Write and read a data set: one folder with images, labels, class names and a fingerprint.

All of it is checked when it is used: the card by its seal, labels and digests of the images by the
card, and an image by its own digest when it is read for the first time.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..runtime.array_digest import array_digest
from ..runtime.atomic_files import atomic, wait_for
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, read_sealed, unreadable, write_sealed
from .checked_images import checked_images, digests_of_images
from .memory_map import map_array

IMAGES = "images.npy"
LABELS = "labels.npy"
DIGESTS = "digests.npy"
CARD = "dataset.json"

CARD_KEYS = {"name", "n", "class_names", "scoring", "fingerprint", "digests"}
# Lists of ``Scoring`` with one entry per image.
SCORING_COLUMNS = ("groups", "videos", "accepted")
# Images that the fingerprint reads at once, so that a data set need not fit in memory.
FINGERPRINT_CHUNK = 4096


@dataclass(frozen=True)
class Scoring:
    """How answers are scored, where the label is not all that counts.

    Attributes:
        metric: Name of a file of ``metrics/``.
        groups: Group of each image, such as its region, for the accuracy of the worst group; or
            empty.
        videos: Video of each image, or empty. The images of one video count as one, which is
            right where all of them are (pm-k of ImageNet-Vid-Robust).
        accepted: For each image the classes that count as right (ReaL), its label among them; or
            empty.
        merges: Class of the data set -> the model's classes that stand for it (ObjectNet). The
            likeliest of these gives the answer.
    """

    metric: str = "accuracy"
    groups: list[int] = field(default_factory=list)
    videos: list[int] = field(default_factory=list)
    accepted: list[list[int]] = field(default_factory=list)
    merges: dict[str, list[str]] = field(default_factory=dict)

    def select_rows(self, rows: Sequence[int] | np.ndarray) -> "Scoring":
        """Return the scoring of some of the images.

        Args:
            rows: The images, in the order of the result.

        Returns:
            A copy with the entries of these images.
        """
        selected = {}
        for name in SCORING_COLUMNS:
            column = getattr(self, name)
            if column:
                selected[name] = [column[row] for row in rows]
        return replace(self, **selected)

    def non_default(self) -> dict[str, Any]:
        """Return what differs from the defaults, as plain data for a card.

        Returns:
            Attribute -> value.
        """
        defaults = asdict(Scoring())
        changed = {}
        for name, value in asdict(self).items():
            if value != defaults[name]:
                changed[name] = value
        return changed


@dataclass(frozen=True)
class Dataset:
    """A data set that was opened.

    Attributes:
        name: Name in the config.
        images: uint8 [n, h, w, 3], memory-mapped. Read them by an index, as only then they are
            checked.
        labels: int64 [n], indices into ``class_names``.
        class_names: Names of the classes.
        fingerprint: SHA-256 of all above except the name, and of the scoring.
        scoring: How answers are scored.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    class_names: list[str]
    fingerprint: str
    scoring: Scoring = Scoring()

    def __len__(self) -> int:
        return len(self.labels)


def write_dataset(
    folder: str | Path,
    name: str,
    images: np.ndarray | Path,
    labels: np.ndarray,
    class_names: list[str],
    source: dict[str, Any],
    scoring: Scoring = Scoring(),
    image_digests: np.ndarray | None = None,
) -> None:
    """Write a Dataset folder.

    Args:
        folder: The folder.
        name: Name of the data set.
        images: uint8 [n, h, w, 3]; or a file that holds it and is moved into the folder.
        labels: [n], indices into ``class_names``.
        class_names: Names of the classes.
        source: Plain data that says where the images come from and how they were made.
        scoring: How answers are scored.
        image_digests: ``digests_of_images`` of the images, where they are known.

    Raises:
        StockpotError: The arrays do not fit together.
    """
    labels = np.asarray(labels, np.int64)
    image_file = None
    if isinstance(images, Path):
        # A file is moved into the folder, not copied, and it may be larger than the memory.
        image_file = images
        images = np.load(image_file, mmap_mode="r", allow_pickle=False)
    check_arrays(name, images, labels, class_names)
    check_scoring(name, scoring, len(labels))
    if image_digests is None:
        image_digests = digests_of_images(images)
    arrays = {LABELS: labels, DIGESTS: image_digests}
    scoring_entries = scoring.non_default()
    card = {
        "name": name,
        "n": len(labels),
        "side": list(images.shape[1:3]),
        "class_names": class_names,
        "scoring": scoring_entries,
        "source": source,
        "fingerprint": fingerprint(images, labels, class_names, scoring_entries),
        "digests": {file: array_digest(array) for file, array in arrays.items()},
    }
    if image_file is None:
        arrays[IMAGES] = images
    _write_files(Path(folder), card, arrays, image_file)


def _write_files(
    folder: Path,
    card: dict[str, Any],
    arrays: dict[str, np.ndarray],
    image_file: Path | None,
) -> None:
    """Write the files of a Dataset folder; move the file of the images where there is one."""
    for file_name, array in arrays.items():
        with atomic(folder / file_name) as path, open(path, "wb") as stream:
            np.save(stream, array)
    if image_file is not None:
        os.replace(image_file, folder / IMAGES)
    # The card is written last, so that a folder with a card is whole.
    write_sealed(folder / CARD, card)


def spread_rows(labels: np.ndarray, n: int) -> np.ndarray:
    """Select rows for a small sample in which all classes occur.

    Args:
        labels: [all images].
        n: How many rows to select, at most.

    Returns:
        int64 [n]: the first rows; evenly spread ones where the images are sorted by class.
    """
    labels = np.asarray(labels)
    # The first rows of a sorted data set would have the first classes only.
    is_sorted = (labels[1:] >= labels[:-1]).all()
    if n < len(labels) and is_sorted:
        return np.linspace(0, len(labels) - 1, n).round().astype(int)
    return np.arange(min(n, len(labels)))


def check_arrays(
    name: str,
    images: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
) -> None:
    """Check that images, labels and classes make a data set.

    Args:
        name: Name of the data set, for messages.
        images: Must be uint8 [n, h, w, 3].
        labels: Must be [n], indices into ``class_names``.
        class_names: Names of the classes.

    Raises:
        StockpotError: They do not fit together.
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise StockpotError(
            f"{name}: images are {images.dtype} {images.shape}, not uint8 [n, h, w, 3]"
        )
    if len(images) == 0 or len(images) != len(labels):
        raise StockpotError(f"{name}: {len(images)} images and {len(labels)} labels")
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise StockpotError(
            f"{name}: labels run from {labels.min()} to {labels.max()}, "
            f"classes from 0 to {len(class_names) - 1}"
        )


def check_scoring(
    name: str,
    scoring: Scoring,
    n: int,
) -> None:
    """Check that a scoring fits the data set and its metric.

    Args:
        name: Name of the data set, for messages.
        scoring: How answers are scored.
        n: Number of images.

    Raises:
        StockpotError: A list does not have one entry per image, or the metric lacks what it needs.
    """
    for column in SCORING_COLUMNS:
        length = len(getattr(scoring, column))
        if length not in (0, n):
            raise StockpotError(f"{name}: {length} {column} for {n} images")
    # A negative group stands for an image that is in no group.
    if scoring.metric == "worst-group" and max(scoring.groups, default=-1) < 0:
        raise StockpotError(f"{name}: worst-group needs a group for every image")
    if scoring.metric != "accuracy" and scoring.videos:
        raise StockpotError(
            f"{name}: videos are scored by accuracy, not by {scoring.metric}"
        )


def fingerprint(
    images: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    scoring: dict[str, Any] | None = None,
) -> str:
    """Compute the digest that identifies a data set.

    Args:
        images: uint8 [n, h, w, 3].
        labels: int64 [n].
        class_names: Names of the classes.
        scoring: What ``Scoring.non_default`` returns.

    Returns:
        SHA-256 of pixels, labels, class names and scoring, in hexadecimal.
    """
    header = [list(images.shape), class_names]
    # A default scoring is left out, so that it does not change the fingerprint.
    if scoring:
        header.append(scoring)
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(labels))
    for start in range(0, len(images), FINGERPRINT_CHUNK):
        chunk = images[start : start + FINGERPRINT_CHUNK]
        digest.update(np.ascontiguousarray(chunk))
    return digest.hexdigest()


def read_card(folder: str | Path) -> dict[str, Any]:
    """Read the card of a Dataset folder.

    Args:
        folder: The folder.

    Returns:
        The card, with at least ``CARD_KEYS``.

    Raises:
        StockpotError: The card is missing, damaged, or of something else.
    """
    folder = Path(folder)
    card = read_sealed(folder / CARD, remove=folder)
    # A card whose seal is right may be of an earlier version.
    missing = CARD_KEYS - set(card)
    if missing:
        raise damaged(
            folder / CARD,
            f"it lacks {', '.join(sorted(missing))}",
            folder,
        )
    return card


def read_labels(folder: str | Path, card: dict[str, Any]) -> np.ndarray:
    """Read the labels of a Dataset folder.

    Args:
        folder: The folder.
        card: Its card.

    Returns:
        int64 [n].

    Raises:
        StockpotError: They are missing or not those of the card.
    """
    return read_array(Path(folder) / LABELS, card["digests"][LABELS])


def read_digests(folder: str | Path, card: dict[str, Any]) -> np.ndarray:
    """Read the digest of each image of a Dataset folder.

    Args:
        folder: The folder.
        card: Its card.

    Returns:
        uint64 [n].

    Raises:
        StockpotError: They are missing or not those of the card.
    """
    return read_array(Path(folder) / DIGESTS, card["digests"][DIGESTS])


def read_array(path: Path, expected: str | None = None) -> np.ndarray:
    """Read an array of a Dataset folder.

    Args:
        path: The file.
        expected: Digest that the array must have; None where it is not known.

    Returns:
        The array.

    Raises:
        StockpotError: The file cannot be read, is damaged, or has another digest.
    """
    # On a network file system a file may appear some time after it was written.
    wait_for(path)
    with _array_errors(path, path.parent):
        array = np.load(path, allow_pickle=False)
        if expected is not None and array_digest(array) != expected:
            raise ValueError(f"its content is not what {CARD} says")
    return array


@contextmanager
def _array_errors(path: Path, folder: Path) -> Iterator[None]:
    """Turn errors of reading an array into one line that says how to have it made again."""
    try:
        yield
    except OSError as error:
        raise unreadable(path, error, folder) from error
    except MemoryError as error:
        raise StockpotError(
            f"{path}: no memory left to read it; give the job more"
        ) from error
    except Exception as error:  # NumPy raises all kinds for a damaged header
        raise damaged(path, str(error) or type(error).__name__, folder) from error


def read_dataset(folder: str | Path) -> Dataset:
    """Open a Dataset folder.

    The images stay on disk until they are read, and are checked then.

    Args:
        folder: The folder.

    Returns:
        The data set.

    Raises:
        StockpotError: A file is missing, damaged, or does not fit the others; it is named.
    """
    folder = Path(folder)
    card = read_card(folder)
    labels = read_labels(folder, card)
    image_digests = read_digests(folder, card)
    images = _map_images(folder, card)
    scoring = _card_scoring(folder, card)
    check_arrays(
        str(folder),
        images,
        labels,
        card["class_names"],
    )
    check_scoring(
        str(folder),
        scoring,
        len(labels),
    )
    # From here on each image is compared with its digest when it is read.
    return Dataset(
        name=card["name"],
        images=checked_images(images, image_digests, folder / IMAGES),
        labels=labels,
        class_names=card["class_names"],
        fingerprint=card["fingerprint"],
        scoring=scoring,
    )


def _card_scoring(folder: Path, card: dict[str, Any]) -> Scoring:
    """The scoring of a card."""
    try:
        return Scoring(**card["scoring"])
    except TypeError as error:
        raise StockpotError(
            f"{folder / CARD}: its scoring is not known ({error})"
        ) from error


def _map_images(folder: Path, card: dict[str, Any]) -> np.ndarray:
    """Map the images into memory; uint8 [n, h, w, 3]."""
    with _array_errors(folder / IMAGES, folder):
        images = map_array(folder / IMAGES)
        expected_shape = (card["n"], *card["side"], 3)
        if images.shape != expected_shape or images.dtype != np.uint8:
            raise ValueError(f"it holds {images.dtype} {list(images.shape)}")
    return images
