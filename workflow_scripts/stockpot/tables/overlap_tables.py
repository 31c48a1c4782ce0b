"""Tables of the images that the data sets of a study share."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from ..datasets.dataset import read_card
from ..datasets.overlap import COUNTED_TWICE, Overlap, overlaps, shared_names
from .measurements import write_table

# Fraction of images that two test sets scored alike may share.
ALMOST_ALL = 0.99


@dataclass(frozen=True)
class OverlapTables:
    """What the data sets of a study share.

    Attributes:
        counts: How many of the n images of a set are in another: other_dataset, dataset,
            shared_images, n.
        images: Each of these images by name: dataset, image, other_dataset, other_image.
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
    training: list[Path],
    held_out: list[Path],
    tests: list[Path],
) -> OverlapTables:
    """Compare the data sets of a study.

    Args:
        training: Folders of the training sets.
        held_out: Folders of the held-out sets.
        tests: Folders of the reference and the shifts.

    Returns:
        What they share.

    Raises:
        StockpotError: If two sets share more images than they may.
    """
    # What is trained on must not be tested on, nor what choices are made on.
    pairs = overlaps(training, held_out + tests)
    pairs += overlaps(held_out, tests)
    pairs += _overlaps_among_tests(tests)
    folders = {}
    for folder in (*training, *held_out, *tests):
        folders[read_card(folder)["name"]] = folder
    count_rows = []
    image_rows: list[list[str]] = []
    for pair in pairs:
        count_rows.append([pair.seen_in, pair.dataset, pair.shared, pair.n])
        image_rows += _shared_images(pair, folders)
    counts = pd.DataFrame(
        count_rows,
        columns=["other_dataset", "dataset", "shared_images", "n"],
    )
    images = pd.DataFrame(
        image_rows,
        columns=["dataset", "image", "other_dataset", "other_image"],
    )
    return OverlapTables(counts, images)


def _overlaps_among_tests(tests: list[Path]) -> list[Overlap]:
    """Tests may overlap, but not be equal and scored alike."""
    pairs = []
    for test, other in combinations(tests, 2):
        test_scoring = read_card(test)["scoring"]
        other_scoring = read_card(other)["scoring"]
        most: float = 1
        if test_scoring == other_scoring:
            most = ALMOST_ALL
        pairs += overlaps([test], [other], most, COUNTED_TWICE)
    return pairs


def _shared_images(
    pair: Overlap,
    folders: dict[str, Path],
) -> list[list[str]]:
    """A row per image that two sets share."""
    names = shared_names(
        pair,
        folders[pair.seen_in],
        folders[pair.dataset],
    )
    return [[pair.dataset, name, pair.seen_in, same_as] for name, same_as in names]
