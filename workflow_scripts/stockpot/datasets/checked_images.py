"""Images on disk that are compared with their digests when they are read for the first time."""

import hashlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..runtime.sealed import damaged

log = logging.getLogger(__name__)

# Fewer images are not worth a further thread.
IMAGES_PER_THREAD = 256
# Checking more images than this takes so long that the log reports it.
LOGGED_IMAGE_COUNT = 100_000


def image_digest(image: np.ndarray) -> bytes:
    """Compute the digest of one image.

    Args:
        image: Pixels, of any shape and type.

    Returns:
        BLAKE2 of the pixels, 8 bytes.
    """
    pixels = np.ascontiguousarray(image)
    return hashlib.blake2b(pixels, digest_size=8).digest()


def digests_of_images(images: np.ndarray) -> np.ndarray:
    """Compute a digest of each image, with which equal and damaged images are found.

    Args:
        images: [n, ...], one image per row.

    Returns:
        uint64 [n].
    """
    # Threads help, as hashlib hashes an image without holding Python's lock.
    workers = thread_count(len(images))
    bounds = np.linspace(
        0,
        len(images),
        workers + 1,
    ).astype(int)
    slices = [images[start:stop] for start, stop in pairwise(bounds)]
    with ThreadPoolExecutor(workers) as pool:
        joined = b"".join(pool.map(_joined_digests, slices))
    return np.frombuffer(joined, np.uint64)


def _joined_digests(images: np.ndarray) -> bytes:
    return b"".join(image_digest(image) for image in images)


def thread_count(n: int) -> int:
    """Choose the number of threads that hash images.

    Args:
        n: Number of images.

    Returns:
        At least 1, and at most the number of cores that this job may use.
    """
    if hasattr(os, "sched_getaffinity"):
        core_count = len(os.sched_getaffinity(0))
    else:
        core_count = os.cpu_count() or 1
    requested = os.environ.get("OMP_NUM_THREADS", "")
    if requested.isdecimal() and int(requested):
        core_count = min(core_count, int(requested))
    return min(core_count, 1 + n // IMAGES_PER_THREAD)


class CheckedImages(np.memmap):
    """A mapped file of images, uint8 [n, h, w, 3], that are checked when they are indexed.

    Each image is checked once in the life of this object. So a job that reads a subset of a data
    set checks that subset, and no image twice. Indexing gives a plain array. An array that is
    taken as a whole, without an index, is not checked.
    """

    _check = None

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Return images after they were checked.

        Args:
            rows: Any index of NumPy.

        Returns:
            What NumPy returns for this index, as a plain mapped array.

        Raises:
            StockpotError: One of these images is damaged; the message names the file.
        """
        if self._check is not None:
            self._check(rows)
        return self.view(np.memmap)[rows]


def checked_images(
    images: np.ndarray,
    expected: np.ndarray,
    path: Path,
) -> CheckedImages:
    """Make images check themselves when they are read.

    Args:
        images: Mapped array, uint8 [n, h, w, 3].
        expected: Digest of each image, see ``digests_of_images``.
        path: File of the images, which lies in a Dataset folder.

    Returns:
        The same images; nothing is read yet.
    """
    checked = images.view(CheckedImages)
    checked._check = _Check(images, expected, path)
    return checked


class _Check:
    """Compares images with their digests, each image once."""

    def __init__(
        self,
        images: np.ndarray,
        expected: np.ndarray,
        path: Path,
    ) -> None:
        self.images = images
        self.expected = expected
        self.path = path
        self.is_unchecked = np.ones(len(images), bool)
        self.unchecked_count = len(images)

    def __call__(self, rows: Any) -> None:
        """Check the images of an index of NumPy, except those that were checked before."""
        if not self.unchecked_count:
            return
        new_rows = self._unchecked_rows(rows)
        if len(new_rows) > LOGGED_IMAGE_COUNT:
            log.info(
                "%s: comparing %d images with their digests", self.path, len(new_rows)
            )
        workers = thread_count(len(new_rows))
        chunks = np.array_split(new_rows, workers)
        with ThreadPoolExecutor(workers) as pool:
            damaged_rows = np.concatenate(list(pool.map(self._damaged_rows, chunks)))
        if len(damaged_rows):
            reason = f"image {damaged_rows[0]} is not what was prepared"
            if len(damaged_rows) > 1:
                reason += f", nor are {len(damaged_rows) - 1} others"
            raise damaged(self.path, reason, self.path.parent)
        self.is_unchecked[new_rows] = False
        self.unchecked_count -= len(new_rows)

    def _unchecked_rows(self, index: Any) -> np.ndarray:
        """Rows, rising, that an index of NumPy reads and that were not checked before."""
        if isinstance(index, tuple):
            # Only the first axis counts images.
            index = index[0]
        if isinstance(index, slice):
            rows = np.arange(*index.indices(len(self.images)))
        else:
            rows = np.arange(len(self.images))[index].reshape(-1)
        return np.unique(rows[self.is_unchecked[rows]])

    def _damaged_rows(self, rows: np.ndarray) -> np.ndarray:
        """Those of some rows whose image has another digest than expected."""
        joined = b"".join(image_digest(self.images[row]) for row in rows)
        actual = np.frombuffer(joined, np.uint64)
        return rows[actual != self.expected[rows]]
