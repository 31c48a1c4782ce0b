"""Tests images that two data sets share."""

import numpy as np
import pytest

from stockpot.datasets.dataset import write_dataset
from stockpot.datasets.names import write_names
from stockpot.datasets.overlap import COUNTED_TWICE, overlaps, shared_names
from stockpot.runtime.errors import StockpotError


def write_rows(folder, name, rows):
    images = np.stack([np.full((4, 4, 3), row, np.uint8) for row in rows])
    write_dataset(folder / name, name, images, np.zeros(len(rows), int), ["a"], {})
    return folder / name


def test_shared_images_are_counted(tmp_path):
    train = write_rows(tmp_path, "train", [*range(50), 3])
    test = write_rows(tmp_path, "test", [3, *range(100, 130), 3])
    other = write_rows(tmp_path, "other", [105, 106])
    found = [
        (o.seen_in, o.dataset, o.shared, o.n) for o in overlaps([train], [test, other])
    ]
    assert found == [("train", "test", 2, 32), ("train", "other", 0, 2)]


@pytest.mark.parametrize(
    ("train", "test", "line"),
    [
        ([1, 2, 3], [3, 1], "2 of its 2 images are also in train"),
        (
            range(10),
            range(110),
            r"10 of its 110 images are also in train \(which has 10\)",
        ),
        (range(100), [*range(88, 100), *range(100, 160)], "12 of its 72 images"),
    ],
    ids=["seen whole", "the training set is in it", "more than a tenth"],
)
def test_a_test_set_that_was_seen_is_refused(tmp_path, train, test, line):
    folders = write_rows(tmp_path, "train", train), write_rows(tmp_path, "test", test)
    with pytest.raises(StockpotError, match=rf"datasets\.test: {line}"):
        overlaps([folders[0]], [folders[1]])


def test_two_images_that_are_shared_are_named(tmp_path):
    """Of a file where names are known, else the row; all of them in a table."""
    train = write_rows(tmp_path, "train", range(4))
    test = write_rows(tmp_path, "test", [7, 2, 9, 0])
    write_names(test, [f"{row}.png (list.csv, line {row + 2})" for row in range(4)])
    with pytest.raises(StockpotError) as error:
        overlaps([train], [test], 0.1, COUNTED_TWICE)
    assert str(error.value) == (
        "datasets.test: 2 of its 4 images are also in train (which has 4), as 1.png (list.csv, "
        f"line 3), there image 2 of train; {COUNTED_TWICE}"
    )
    (pair,) = overlaps([train], [test], 1)
    assert shared_names(pair, train, test) == [
        ("1.png (list.csv, line 3)", "image 2 of train"),
        ("3.png (list.csv, line 5)", "image 0 of train"),
    ]


@pytest.mark.slow
def test_missing_digests_are_named(tmp_path):
    train, test = (
        write_rows(tmp_path, name, [i]) for i, name in enumerate(("train", "test"))
    )
    (test / "digests.npy").unlink()
    with pytest.raises(
        StockpotError,
        match=r"test/digests\.npy: damaged .* rm -rf \S*/test and the same command",
    ):
        overlaps([train], [test])
