"""Images that two data sets share, found by their digests without reading a pixel again."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import StockpotError
from .dataset import DIGESTS, read_card

log = logging.getLogger(__name__)
MOST = 0.1


@dataclass(frozen=True)
class Overlap:
    """``shared`` of the ``n`` images of ``dataset`` are also in ``seen_in``."""

    seen_in: str
    dataset: str
    shared: int
    n: int


def overlaps(seen: list[Path], tests: list[Path], most: float = MOST) -> list[Overlap]:
    """Every pair of a set of ``seen`` and one of ``tests``, all Dataset folders.

    A few equal images are common in real data and are reported. StockpotError where more than
    the share ``most`` of either set is in the other.
    """
    found = []
    for known in seen:
        name, digests = read_card(known)["name"], _digests(known)
        for test in tests:
            own = _digests(test)
            shared = int(np.isin(own, digests).sum())
            pair = Overlap(name, read_card(test)["name"], shared, len(own))
            if max(shared / len(own), np.isin(digests, own).mean()) > most:
                raise StockpotError(
                    f"datasets.{pair.dataset}: {shared} of its {pair.n} images are also in {name} "
                    f"(which has {len(digests)}); training, held-out and test sets must differ"
                )
            if shared:
                log.warning("%d of %d images of %s are also in %s",
                            shared, pair.n, pair.dataset, name)  # fmt: skip
            found.append(pair)
    return found


def _digests(folder: Path) -> np.ndarray:
    try:
        return np.load(folder / DIGESTS, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StockpotError(
            f"{folder / DIGESTS}: not readable ({error}); deleting {folder} prepares it again"
        ) from error
