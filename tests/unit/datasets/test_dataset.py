"""Tests how a data set is written and read."""

import re
import shutil

import numpy as np
import pytest

from stockpot.datasets.dataset import (
    fingerprint,
    read_card,
    read_dataset,
    write_dataset,
)
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.sealed import sealed
from tests.support.damaged_bytes import read_all_images


def test_a_card_of_another_set_is_named(dataset_folder):
    other = dataset_folder.with_name("v2-87654321")
    images, labels = np.zeros((600, 4, 4, 3), np.uint8), np.arange(600) % 3
    write_dataset(other, "v2", images, labels, ["a", "b", "c"], {})
    shutil.copy(other / "dataset.json", dataset_folder / "dataset.json")
    with pytest.raises(
        StockpotError, match=r"it is that of datasets/v2-87654321/dataset\.json"
    ):
        read_card(dataset_folder)


def test_a_folder_that_was_moved_elsewhere_is_read(dataset_folder, tmp_path):
    read_all_images(shutil.move(dataset_folder, tmp_path / "elsewhere"))


@pytest.fixture
def small_arrays():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 4, 5, 3), dtype=np.uint8)
    return images, np.array([0, 1, 2, 0, 1, 2]), ["ant", "bee", "cat"]


@pytest.fixture
def small_folder(small_arrays, tmp_path):
    write_dataset(tmp_path / "set", "small", *small_arrays, {"source": "test"})
    return tmp_path / "set"


def test_write_and_read(small_arrays, small_folder):
    data, card = read_dataset(small_folder), read_card(small_folder)
    assert data.name == "small"
    assert len(data) == 6
    assert (data.images == small_arrays[0]).all()
    assert data.images.dtype == np.uint8
    assert data.labels.tolist() == small_arrays[1].tolist()
    assert data.labels.dtype == np.int64
    assert data.class_names == small_arrays[2]
    assert data.fingerprint == card["fingerprint"] == fingerprint(*small_arrays)
    assert card["source"] == {"source": "test"}
    assert card["n"] == 6
    assert card["side"] == [4, 5]
    assert isinstance(data.images, np.memmap), "images stay on disk"


def test_writing_again_gives_the_same_files(small_arrays, small_folder, tmp_path):
    """Among the same neighbours: a card says where it belongs."""
    again = tmp_path / "again" / small_folder.parent.name / small_folder.name
    write_dataset(again, "small", *small_arrays, {"source": "test"})
    files = ["dataset.json", "digests.npy", "images.npy", "labels.npy"]
    for file in files:
        assert (small_folder / file).read_bytes() == (again / file).read_bytes()
    assert sorted(p.name for p in small_folder.iterdir()) == files


def test_the_fingerprint_sees_everything_but_the_name(small_arrays):
    images, labels, classes = small_arrays
    before = fingerprint(images, labels, classes)
    other = images.copy()
    other[5, 3, 4, 2] ^= 1
    assert fingerprint(other, labels, classes) != before
    other = labels.copy()
    other[5] = 0
    assert fingerprint(images, other, classes) != before
    assert fingerprint(images, labels, ["ant", "bee", "cow"]) != before
    assert fingerprint(images[::-1], labels, classes) != before
    assert fingerprint(images.transpose(0, 2, 1, 3), labels, classes) != before
    assert fingerprint(images.reshape(6, 5, 4, 3), labels, classes) != before
    assert (
        fingerprint(np.asfortranarray(images), labels.copy(), list(classes)) == before
    )


def test_a_fingerprint_covers_every_block():
    images = np.zeros((5000, 1, 1, 3), np.uint8)
    labels = np.zeros(5000, np.int64)
    before = fingerprint(images, labels, ["a"])
    for row in (0, 4095, 4096, 4999):
        images[row] += 1
        assert fingerprint(images, labels, ["a"]) != before
        images[row] -= 1


WRONG_ARRAYS = {
    "float images": lambda i, y, c: (i.astype(np.float32), y, c),
    "grey images": lambda i, y, c: (i[..., :1], y, c),
    "flat images": lambda i, y, c: (i.reshape(6, -1), y, c),
    "too few labels": lambda i, y, c: (i, y[:-1], c),
    "nothing": lambda i, y, c: (i[:0], y[:0], c),
    "a label too many": lambda i, y, c: (i, y + 1, c),
    "a label below zero": lambda i, y, c: (i, y - 1, c),
}


@pytest.mark.parametrize("what", WRONG_ARRAYS)
def test_arrays_that_do_not_fit_are_not_written(small_arrays, tmp_path, what):
    with pytest.raises(StockpotError, match="^small: "):
        write_dataset(tmp_path / "set", "small", *WRONG_ARRAYS[what](*small_arrays), {})
    assert not (tmp_path / "set/dataset.json").exists()


def change_array(file, change):
    """Load an array of the folder, change it, save it."""

    def edit(folder):
        np.save(folder / file, change(np.load(folder / file)))

    return edit


BROKEN = {
    "no card": lambda folder: (folder / "dataset.json").unlink(),
    "a card that is no JSON": lambda folder: (folder / "dataset.json").write_text("{"),
    "a card without keys": lambda folder: (folder / "dataset.json").write_text("{}"),
    "a card that is a list": lambda folder: (folder / "dataset.json").write_text("[]"),
    "another count in the card": lambda folder: (folder / "dataset.json").write_text(
        sealed({**read_card(folder), "n": 7})
    ),
    "no images": lambda folder: (folder / "images.npy").unlink(),
    "images cut short": lambda folder: (folder / "images.npy").write_bytes(
        (folder / "images.npy").read_bytes()[:-10]
    ),
    "empty images": lambda folder: (folder / "images.npy").write_bytes(b""),
    "too few images": change_array("images.npy", lambda images: images[:-1]),
    "too few labels": change_array("labels.npy", lambda labels: labels[:-1]),
    "pickled labels": change_array("labels.npy", lambda labels: labels.astype(object)),
    "labels out of range": change_array("labels.npy", lambda labels: labels + 1),
    "float images": change_array(
        "images.npy", lambda images: images.astype(np.float32)
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_folder_is_named(small_folder, what):
    BROKEN[what](small_folder)
    with pytest.raises(StockpotError, match=re.escape(str(small_folder))):
        read_dataset(small_folder)
