"""The Dataset noun: images decoded once, labels, class names and a fingerprint, in one folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import StockpotError
from ..files import atomic

IMAGES, LABELS, DIGESTS, CARD = "images.npy", "labels.npy", "digests.npy", "dataset.json"


@dataclass(frozen=True)
class Dataset:
    """images: uint8 [n, h, w, 3], memory-mapped; labels: int64 [n], indices into class_names."""

    name: str
    images: np.ndarray
    labels: np.ndarray
    class_names: list[str]
    fingerprint: str

    def __len__(self) -> int:
        return len(self.labels)


def write_dataset(
    folder: str | Path,
    name: str,
    images: np.ndarray,
    labels: np.ndarray,
    class_names: list[str],
    source: dict,
) -> None:
    """Write a Dataset folder; the card is written last, so a folder with a card is whole.

    source: plain data that says where the images come from and how they were made.
    Raises StockpotError if the arrays do not fit together.
    """
    folder, labels = Path(folder), np.asarray(labels, np.int64)
    check_arrays(name, images, labels, class_names)
    card = {
        "name": name,
        "n": len(labels),
        "side": list(images.shape[1:3]),
        "class_names": class_names,
        "metric": "accuracy",
        "source": source,
        "fingerprint": fingerprint(images, labels, class_names),
    }
    for file, array in ((IMAGES, images), (LABELS, labels), (DIGESTS, digests(images))):
        with atomic(folder / file) as path, open(path, "wb") as stream:
            np.save(stream, array)
    with atomic(folder / CARD) as path:
        path.write_text(json.dumps(card, indent=1) + "\n")


def check_arrays(name: str, images: np.ndarray, labels: np.ndarray, class_names: list[str]) -> None:
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


def fingerprint(images: np.ndarray, labels: np.ndarray, class_names: list[str]) -> str:
    """SHA-256 over pixels, labels and class names."""
    digest = hashlib.sha256(json.dumps([list(images.shape), class_names]).encode())
    digest.update(np.ascontiguousarray(labels))
    for start in range(0, len(images), 4096):
        digest.update(np.ascontiguousarray(images[start : start + 4096]))
    return digest.hexdigest()


def digests(images: np.ndarray) -> np.ndarray:
    """uint64 [n]: BLAKE2 of the pixels of each image, so that equal images can be counted."""
    found = (hashlib.blake2b(np.ascontiguousarray(i), digest_size=8).digest() for i in images)
    return np.frombuffer(b"".join(found), np.uint64)


def read_card(folder: str | Path) -> dict:
    """The card. Raises StockpotError for one that is missing, broken or incomplete."""
    path = Path(folder) / CARD
    try:
        card = json.loads(path.read_text())
        missing = {"name", "n", "class_names", "fingerprint"} - set(card)
        if missing or not isinstance(card, dict):
            raise ValueError(f"it lacks {', '.join(sorted(missing)) or 'everything'}")
    except (OSError, ValueError, TypeError) as error:
        raise StockpotError(f"{path}: not a readable dataset card ({error})") from error
    return card


def read_dataset(folder: str | Path) -> Dataset:
    """Open a Dataset folder; the images stay on disk until they are read.

    Raises StockpotError naming the folder if a file is missing or does not fit the others.
    """
    folder, card = Path(folder), read_card(folder)
    try:
        images = np.load(folder / IMAGES, mmap_mode="r", allow_pickle=False)
        labels = np.load(folder / LABELS, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StockpotError(f"{folder}: unreadable arrays ({error})") from error
    check_arrays(str(folder), images, labels, card["class_names"])
    if len(images) != card["n"]:
        raise StockpotError(
            f"{folder}: the card says {card['n']} images, the files hold {len(images)}"
        )
    return Dataset(card["name"], images, labels, card["class_names"], card["fingerprint"])
