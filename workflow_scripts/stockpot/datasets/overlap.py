"""Images that two data sets share, found by their digests without reading a pixel again.

Equal means: the same pixels once they are decoded and resized. A copy that was saved again, in
another format, size or quality, is not found.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..runtime.errors import StockpotError
from .dataset import read_card, read_digests
from .names import read_names

log = logging.getLogger(__name__)
MOST = 0.1
DIFFER = "training, held-out and test sets must differ"
TWICE = "two test sets of the same images count them twice; keep one of the two"


@dataclass(frozen=True)
class Overlap:
    """``shared`` of the ``n`` images of ``dataset`` are also in ``seen_in``.

    pairs: of each of them its row, and the first row of ``seen_in`` that is equal.
    """

    seen_in: str
    dataset: str
    shared: int
    n: int
    pairs: np.ndarray = field(repr=False, compare=False, default=None)


def overlaps(
    seen: list[Path], tests: list[Path], most: float = MOST, why: str = DIFFER
) -> list[Overlap]:
    """Every pair of a set of ``seen`` and one of ``tests``, all Dataset folders.

    A few equal images are common in real data and are reported.

    Args:
        most: share of either set that may be in the other.
        why: ends the message of the error.

    Raises:
        StockpotError: More of the images are shared; two of them are named.
    """
    found = []
    for known in seen:
        name, digests = read_card(known)["name"], _digests(known)
        for test in tests:
            own = _digests(test)
            pairs = _equal(own, digests)
            shared = len(pairs)
            pair = Overlap(name, read_card(test)["name"], shared, len(own), pairs)
            found.append(pair)
            if not shared:
                continue
            ((first, second),) = shared_names(pair, known, test, 1)
            if max(shared / len(own), np.isin(digests, own).mean()) > most:
                raise StockpotError(
                    f"datasets.{pair.dataset}: {shared} of its {pair.n} images are also in {name} "
                    f"(which has {len(digests)}), as {first}, there {second}; {why}"
                )
            log.warning(
                "%d of %d images of %s are also in %s, as %s, there %s",
                shared,
                pair.n,
                pair.dataset,
                name,
                first,
                second,
            )
    return found


def shared_names(
    pair: Overlap, known: Path, test: Path, most: int | None = None
) -> list[tuple[str, str]]:
    """What the shared images are called in the set, and in the one that they are also in.

    most: that many of them; all where it is None.
    """
    rows = pair.pairs[:most]
    return list(zip(read_names(test, rows[:, 0]), read_names(known, rows[:, 1])))


def _equal(own: np.ndarray, other: np.ndarray) -> np.ndarray:
    """int64 [k, 2]: rows of ``own`` whose digests are in ``other``, and the first row there."""
    values, first = np.unique(other, return_index=True)
    places = np.searchsorted(values, own).clip(max=len(values) - 1)
    rows = np.flatnonzero(values[places] == own)
    return np.stack([rows, first[places[rows]]], axis=1)


def _digests(folder: Path) -> np.ndarray:
    return read_digests(folder, read_card(folder))
