"""Find images that two data sets share, by their digests, without reading a pixel again.

Two images are equal if they have the same pixels after they are decoded and resized. A copy that
was saved again, in another format, size or quality, is not found.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..runtime.errors import StockpotError
from .dataset import read_card, read_digests
from .names import read_names

log = logging.getLogger(__name__)

# A few equal images are common in real data; more than this fraction is an error.
MAX_SHARED = 0.1
# Reasons that end the message of that error.
MUST_DIFFER = "training, held-out and test sets must differ"
COUNTED_TWICE = "two test sets of the same images count them twice; keep one of the two"


@dataclass(frozen=True)
class Overlap:
    """The images of one data set that are also in another one.

    Attributes:
        seen_in: Name of the other data set.
        dataset: Name of the data set.
        shared: How many of its images are also in ``seen_in``.
        n: Number of its images.
        pairs: int64 [shared, 2], row of each shared image, and the first row of ``seen_in`` with
            an equal image.
    """

    seen_in: str
    dataset: str
    shared: int
    n: int
    pairs: np.ndarray = field(repr=False, compare=False, default=None)


class _HashedSet(NamedTuple):
    """Name of a data set and uint64 [n], digests of its images."""

    name: str
    digests: np.ndarray


def overlaps(
    seen: list[Path],
    tests: list[Path],
    max_shared: float = MAX_SHARED,
    reason: str = MUST_DIFFER,
) -> list[Overlap]:
    """Compare each of some data sets with each of some others.

    Args:
        seen: Dataset folders, such as those of the training sets.
        tests: Dataset folders, such as those of the test sets.
        max_shared: Fraction of either data set that may be in the other.
        reason: Ends the message of the error.

    Returns:
        An ``Overlap`` for each pair; also of pairs that share nothing.

    Raises:
        StockpotError: More of the images are shared; two of them are named.
    """
    result = []
    for seen_folder in seen:
        seen_set = _read(seen_folder)
        for test_folder in tests:
            test_set = _read(test_folder)
            overlap = _overlap(seen_set, test_set)
            result.append(overlap)
            if not overlap.shared:
                continue
            (names,) = shared_names(overlap, seen_folder, test_folder, 1)
            # One set may lie in the other, so the fraction of the smaller one counts.
            seen_fraction = np.isin(seen_set.digests, test_set.digests).mean()
            fraction = max(overlap.shared / overlap.n, seen_fraction)
            if fraction > max_shared:
                seen_count = len(seen_set.digests)
                message = _too_many_shared(overlap, seen_count, names, reason)
                raise StockpotError(message)
            _warn(overlap, names)
    return result


def _read(folder: Path) -> _HashedSet:
    card = read_card(folder)
    return _HashedSet(card["name"], read_digests(folder, card))


def _overlap(seen_set: _HashedSet, test_set: _HashedSet) -> Overlap:
    """Find the images of a test set that are also in another set."""
    pairs = _equal_pairs(test_set.digests, seen_set.digests)
    return Overlap(
        seen_in=seen_set.name,
        dataset=test_set.name,
        shared=len(pairs),
        n=len(test_set.digests),
        pairs=pairs,
    )


def _too_many_shared(
    overlap: Overlap,
    seen_count: int,
    names: tuple[str, str],
    reason: str,
) -> str:
    """Say that two data sets share too many images."""
    name, seen_name = names
    return (
        f"datasets.{overlap.dataset}: {overlap.shared} of its {overlap.n} images are also in "
        f"{overlap.seen_in} (which has {seen_count}), as {name}, there {seen_name}; {reason}"
    )


def _warn(overlap: Overlap, names: tuple[str, str]) -> None:
    """Report in the log that two data sets share a few images."""
    name, seen_name = names
    log.warning(
        "%d of %d images of %s are also in %s, as %s, there %s",
        overlap.shared,
        overlap.n,
        overlap.dataset,
        overlap.seen_in,
        name,
        seen_name,
    )


def shared_names(
    overlap: Overlap,
    seen_folder: Path,
    test_folder: Path,
    limit: int | None = None,
) -> list[tuple[str, str]]:
    """Name the images that two data sets share.

    Args:
        overlap: Result of ``overlaps``.
        seen_folder: Folder of ``overlap.seen_in``.
        test_folder: Folder of ``overlap.dataset``.
        limit: Number of images to name, at most; all where it is None.

    Returns:
        Per shared image its name in the test set and its name in the other one.
    """
    rows = overlap.pairs[:limit]
    names = read_names(test_folder, rows[:, 0])
    seen_names = read_names(seen_folder, rows[:, 1])
    return list(zip(names, seen_names))


def _equal_pairs(digests: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Find digests that are also in another array.

    The result is int64 [k, 2]: rows of ``digests`` that are in ``other``, and the first row there.
    """
    # Sorting one side makes each search fast: O((n + m) log m) for n and m images.
    values, first_rows = np.unique(other, return_index=True)
    # A digest larger than all values would be inserted behind the last one, hence the clip.
    positions = np.searchsorted(values, digests).clip(max=len(values) - 1)
    rows = np.flatnonzero(values[positions] == digests)
    return np.stack([rows, first_rows[positions[rows]]], axis=1)
