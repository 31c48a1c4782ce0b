"""Images that two data sets share, found by their digests without reading a pixel again."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import StockpotError
from .dataset import DIGESTS, read_card

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Overlap:
    """``shared`` of the ``n`` images of ``dataset`` are also in ``seen_in``."""

    seen_in: str
    dataset: str
    shared: int
    n: int


def overlaps(seen: list[Path], tests: list[Path]) -> list[Overlap]:
    """Every pair of a set that is trained or selected on and one that is tested on.

    seen, tests: Dataset folders. A few equal images are common in real data and are reported;
    StockpotError where all images of a test set were seen.
    """
    found = []
    for known in seen:
        name, digests = read_card(known)["name"], np.load(known / DIGESTS, allow_pickle=False)
        for test in tests:
            own = np.load(test / DIGESTS, allow_pickle=False)
            shared = int(np.isin(own, digests).sum())
            pair = Overlap(name, read_card(test)["name"], shared, len(own))
            if shared == pair.n:
                raise StockpotError(
                    f"datasets.{pair.dataset}: all its {pair.n} images are also in {name}; "
                    "training, held-out and test sets must differ"
                )
            if shared:
                log.warning("%d of %d images of %s are also in %s",
                            shared, pair.n, pair.dataset, name)  # fmt: skip
            found.append(pair)
    return found
