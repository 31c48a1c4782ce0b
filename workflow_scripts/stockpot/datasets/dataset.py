"""The Dataset noun: images decoded once, labels, class names and a fingerprint, in one folder.

All of it is checked when it is used: the card by its seal, labels and the digests of the images by
what the card says, and an image by its own digest when it is read for the first time.
"""

import hashlib
import json
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from ..runtime.array_digest import array_digest
from ..runtime.atomic_files import atomic, wait_for
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, read_sealed, unreadable, write_sealed
from .checked_images import checked_images, digests
from .mapped import map_array

IMAGES, LABELS, DIGESTS, CARD = (
    "images.npy",
    "labels.npy",
    "digests.npy",
    "dataset.json",
)


@dataclass(frozen=True)
class Scoring:
    """What an answer is compared with beside the label, where that is not all.

    metric: a file of metrics/. groups: of each example, as regions for the worst one. videos: of
    each example; those of one video count as one, right where all are (pm-k of ImageNet-Vid-
    Robust). accepted: per example the classes that count as right (ReaL), the label among them.
    merges: class of the data set -> the model's classes that stand for it (ObjectNet), the
    likeliest of which answers.
    """

    metric: str = "accuracy"
    groups: list[int] = field(default_factory=list)
    videos: list[int] = field(default_factory=list)
    accepted: list[list[int]] = field(default_factory=list)
    merges: dict[str, list[str]] = field(default_factory=dict)

    def of(self, rows) -> "Scoring":
        """That of some of the examples, in this order."""
        columns = {
            name: getattr(self, name) for name in ("groups", "videos", "accepted")
        }
        kept = {
            name: [column[row] for row in rows]
            for name, column in columns.items()
            if column
        }
        return replace(self, **kept)

    def said(self) -> dict:
        """What differs from the plain case, for a card."""
        plain = asdict(Scoring())
        return {
            key: value for key, value in asdict(self).items() if value != plain[key]
        }


@dataclass(frozen=True)
class Dataset:
    """images: uint8 [n, h, w, 3], memory-mapped, to be read by an index, as then they are checked;
    labels: int64 [n], indices into class_names."""

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
    source: dict,
    scoring: Scoring = Scoring(),
    each: np.ndarray | None = None,
) -> None:
    """Write a Dataset folder; the card is written last, so a folder with a card is whole.

    images: the array, or a file that holds it and is moved into the folder. source: plain data
    that says where the images come from and how they were made. each: ``digests`` of the images,
    where they are known. Raises StockpotError if the arrays do not fit together.
    """
    folder, labels = Path(folder), np.asarray(labels, np.int64)
    file = images if isinstance(images, Path) else None
    images = np.load(file, mmap_mode="r", allow_pickle=False) if file else images
    check_arrays(name, images, labels, class_names)
    check_scoring(name, scoring, len(labels))
    said = scoring.said()
    arrays = {LABELS: labels, DIGESTS: digests(images) if each is None else each}
    card = {
        "name": name,
        "n": len(labels),
        "side": list(images.shape[1:3]),
        "class_names": class_names,
        "scoring": said,
        "source": source,
        "fingerprint": fingerprint(images, labels, class_names, said),
        "digests": {place: array_digest(array) for place, array in arrays.items()},
    }
    for place, array in (arrays if file else {**arrays, IMAGES: images}).items():
        with atomic(folder / place) as path, open(path, "wb") as stream:
            np.save(stream, array)
    if file:
        os.replace(file, folder / IMAGES)
    write_sealed(folder / CARD, card)


def some_rows(labels: np.ndarray, n: int) -> np.ndarray:
    """int64 [n]: the first rows; of a set that is sorted by class evenly spread ones, so that
    every class has its share."""
    labels = np.asarray(labels)
    if n < len(labels) and (labels[1:] >= labels[:-1]).all():
        return np.linspace(0, len(labels) - 1, n).round().astype(int)
    return np.arange(min(n, len(labels)))


def check_arrays(
    name: str, images: np.ndarray, labels: np.ndarray, class_names: list[str]
) -> None:
    """Raises StockpotError unless images, labels and classes make a data set."""
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


def check_scoring(name: str, scoring: Scoring, n: int) -> None:
    """Raises StockpotError unless there is a group, a video, an answer for every example, and the
    metric has what it needs."""
    for what in ("groups", "videos", "accepted"):
        found = len(getattr(scoring, what))
        if found not in (0, n):
            raise StockpotError(f"{name}: {found} {what} for {n} images")
    if scoring.metric == "worst-group" and max(scoring.groups, default=-1) < 0:
        raise StockpotError(f"{name}: worst-group needs images that are of a group")
    if scoring.metric != "accuracy" and scoring.videos:
        raise StockpotError(
            f"{name}: videos are scored by accuracy, not by {scoring.metric}"
        )


def fingerprint(
    images: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    scoring: dict | None = None,
) -> str:
    """SHA-256 over pixels, labels, class names and how answers are scored."""
    named = [list(images.shape), class_names, *([scoring] if scoring else [])]
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(labels))
    for start in range(0, len(images), 4096):
        digest.update(np.ascontiguousarray(images[start : start + 4096]))
    return digest.hexdigest()


def read_card(folder: str | Path) -> dict:
    """The card. Raises StockpotError for one that is missing or damaged, or another set's."""
    folder = Path(folder)
    card = read_sealed(folder / CARD, remove=folder)
    missing = {"name", "n", "class_names", "scoring", "fingerprint", "digests"} - set(
        card
    )
    if missing:
        raise damaged(folder / CARD, f"it lacks {', '.join(sorted(missing))}", folder)
    return card


def read_labels(folder: str | Path, card: dict) -> np.ndarray:
    """int64 [n], the labels that the card tells of. Raises StockpotError for any others."""
    return read_array(Path(folder) / LABELS, card["digests"][LABELS])


def read_digests(folder: str | Path, card: dict) -> np.ndarray:
    """uint64 [n], a digest of each image; see ``read_labels``."""
    return read_array(Path(folder) / DIGESTS, card["digests"][DIGESTS])


def read_array(path: Path, expected: str | None = None) -> np.ndarray:
    """An array of a Dataset folder. expected: its digest. StockpotError where it has another."""
    wait_for(path)
    with _mended(path, path.parent):
        array = np.load(path, allow_pickle=False)
        if expected is not None and array_digest(array) != expected:
            raise ValueError(f"its content is not what {CARD} says")
    return array


@contextmanager
def _mended(path: Path, folder: Path):
    """Turn the errors of reading an array into one line that says how to have it made again."""
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
    """Open a Dataset folder; the images stay on disk until they are read, and are checked then.

    Raises StockpotError naming the file that is missing, damaged or does not fit the others.
    """
    folder = Path(folder)
    card = read_card(folder)
    labels = read_labels(folder, card)
    each = read_digests(folder, card)
    with _mended(folder / IMAGES, folder):
        images = map_array(folder / IMAGES)
        if images.shape != (card["n"], *card["side"], 3) or images.dtype != np.uint8:
            raise ValueError(f"it holds {images.dtype} {list(images.shape)}")
    try:
        scoring = Scoring(**card["scoring"])
    except TypeError as error:
        raise StockpotError(
            f"{folder / CARD}: its scoring is not known ({error})"
        ) from error
    check_arrays(str(folder), images, labels, card["class_names"])
    check_scoring(str(folder), scoring, len(labels))
    checked = checked_images(images, each, folder / IMAGES)
    return Dataset(
        card["name"], checked, labels, card["class_names"], card["fingerprint"], scoring
    )
