"""Images on disk that are compared with their digests when they are read for the first time."""

import hashlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

from ..runtime.sealed import damaged

log = logging.getLogger(__name__)

MANY = 256  # images; fewer are not worth a thread
LONG = 100_000  # images that take so long that the log says what happens


def digest_of(image: np.ndarray) -> bytes:
    """BLAKE2 of the pixels of one image, 8 bytes."""
    return hashlib.blake2b(np.ascontiguousarray(image), digest_size=8).digest()


def digests(images: np.ndarray) -> np.ndarray:
    """uint64 [n]: a digest of each image, so that equal ones can be counted and damage be seen."""
    # Hashing a large image is done without Python's lock.
    workers = thread_count(len(images))
    bounds = np.linspace(0, len(images), workers + 1).astype(int)
    with ThreadPoolExecutor(workers) as pool:
        pieces = pool.map(_hashed, [images[a:b] for a, b in pairwise(bounds)])
        return np.frombuffer(b"".join(pieces), np.uint64)


def _hashed(images: np.ndarray) -> bytes:
    return b"".join(digest_of(image) for image in images)


def thread_count(n: int) -> int:
    """Threads to hash ``n`` images with: at most the cores that this job may use."""
    cores = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count()
    )
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdecimal() and int(said):
        cores = min(cores, int(said))
    return min(cores or 1, 1 + n // MANY)


class CheckedImages(np.memmap):
    """A mapped file of images, uint8 [n, h, w, 3], whose images are checked when they are indexed.

    Each is checked once in the life of this object, so a job that reads a part of a data set has
    that part checked, and no image twice. What an index gives is a plain array. Whoever takes the
    array as a whole, without an index, gets it unchecked.
    """

    _check = None

    def __getitem__(self, rows):
        """Raises StockpotError naming the file where one of these images is damaged."""
        if self._check is not None:
            self._check(rows)
        return self.view(np.memmap)[rows]


def checked_images(
    images: np.ndarray, expected: np.ndarray, path: Path
) -> CheckedImages:
    """Images that are checked. expected: digest of each, see ``digests``. path: of their file,
    which lies in a Dataset folder."""
    checked = images.view(CheckedImages)
    checked._check = _Check(images, expected, path)
    return checked


class _Check:
    """Compares images with their digests, each once."""

    def __init__(self, images: np.ndarray, expected: np.ndarray, path: Path):
        self.images, self.expected, self.path = images, expected, path
        self.unchecked, self.left = np.ones(len(images), bool), len(images)

    def __call__(self, rows) -> None:
        if not self.left:
            return
        if isinstance(rows, tuple):  # of the first axis
            rows = rows[0]
        if isinstance(rows, slice):
            places = np.arange(*rows.indices(len(self.images)))
        else:
            places = np.arange(len(self.images))[rows].reshape(-1)
        places = np.unique(places[self.unchecked[places]])
        if len(places) > LONG:
            log.info(
                "%s: comparing %d images with their digests", self.path, len(places)
            )
        workers = thread_count(len(places))
        with ThreadPoolExecutor(workers) as pool:
            wrong = np.concatenate(
                list(pool.map(self.wrong, np.array_split(places, workers)))
            )
        if len(wrong):
            reason = f"image {wrong[0]} is not what was prepared"
            if len(wrong) > 1:
                reason += f", nor are {len(wrong) - 1} others"
            raise damaged(self.path, reason, self.path.parent)
        self.unchecked[places] = False
        self.left -= len(places)

    def wrong(self, places: np.ndarray) -> np.ndarray:
        """Those of some places whose image has another digest."""
        found = np.frombuffer(
            b"".join(digest_of(self.images[place]) for place in places), np.uint64
        )
        return places[found != self.expected[places]]
