"""Tables of the images that the data sets of a study share."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from ..datasets.dataset import read_card
from ..datasets.overlap import TWICE, Overlap, overlaps, shared_names
from .measurements import write_table

ALMOST_ALL = 0.99  # of the images of two test sets that are scored alike


@dataclass(frozen=True)
class OverlapTables:
    """What the data sets of a study share.

    Attributes:
        counts: seen_in, dataset, shared, n: how many of the n images of a set are in another.
        images: dataset, image, seen_in, same_as: each of these images by name.
    """

    counts: pd.DataFrame
    images: pd.DataFrame

    def write(self, table: str, images: str) -> None:
        """Write both tables.

        Args:
            table: File of the counts.
            images: File of the images.
        """
        write_table(self.counts, table)
        write_table(self.images, images)


def overlap_tables(
    training: list[Path], held_out: list[Path], tests: list[Path]
) -> OverlapTables:
    """Compare the data sets of a study.

    Args:
        training: Folders of the training sets.
        held_out: Of the held-out sets.
        tests: Of the reference and the shifts.

    Raises:
        StockpotError: Two sets share more images than they may.
    """
    found = overlaps(training, held_out + tests)
    found += overlaps(held_out, tests)
    found += _among_tests(tests)
    folders = {
        read_card(folder)["name"]: folder for folder in (*training, *held_out, *tests)
    }
    counts = [[pair.seen_in, pair.dataset, pair.shared, pair.n] for pair in found]
    images = [row for pair in found for row in _images(pair, folders)]
    return OverlapTables(
        counts=pd.DataFrame(counts, columns=["seen_in", "dataset", "shared", "n"]),
        images=pd.DataFrame(images, columns=["dataset", "image", "seen_in", "same_as"]),
    )


def _among_tests(tests: list[Path]) -> list[Overlap]:
    """Tests may overlap, but not be equal and scored alike."""
    found = []
    for test, other in combinations(tests, 2):
        is_alike = read_card(test)["scoring"] == read_card(other)["scoring"]
        found += overlaps([test], [other], ALMOST_ALL if is_alike else 1, TWICE)
    return found


def _images(pair: Overlap, folders: dict[str, Path]) -> list[list[str]]:
    """A row per image that two sets share."""
    names = shared_names(pair, folders[pair.seen_in], folders[pair.dataset])
    return [[pair.dataset, name, pair.seen_in, there] for name, there in names]
