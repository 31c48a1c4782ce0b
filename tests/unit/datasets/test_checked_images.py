"""Tests that every image of a data set is checked when it is read."""

import os

import numpy as np
import pytest

from stockpot.datasets import checked_images
from stockpot.datasets.dataset import read_dataset
from stockpot.runtime.errors import StockpotError
from tests.support.damaged_bytes import flip_a_bit, read_all_images, rewrite_bytes


@pytest.mark.parametrize(
    "file", ["images.npy", "labels.npy", "digests.npy", "dataset.json"]
)
@pytest.mark.parametrize(
    "change",
    [
        flip_a_bit(200),
        flip_a_bit(-1),
        lambda c: c[:-3],
        lambda c: b"",
        lambda c: c[:150] + bytes(80) + c[230:],
    ],
    ids=["a bit", "the last bit", "cut", "empty", "zeros"],
)
def test_a_damaged_data_set_is_named_with_what_makes_it_anew(
    dataset_folder, file, change
):
    read_all_images(dataset_folder)
    rewrite_bytes(dataset_folder / file, change)
    with pytest.raises(StockpotError) as caught:
        read_all_images(dataset_folder)
    line = str(caught.value)
    assert line.startswith(f"{dataset_folder / file}: damaged (")
    assert len(line) < 500
    assert f"rm -rf {dataset_folder} and the same command" in line


def test_an_image_is_checked_when_it_is_read_and_once(dataset_folder, monkeypatch):
    rewrite_bytes(dataset_folder / "images.npy", flip_a_bit(-1))  # of the last image
    data, counted = read_dataset(dataset_folder), []

    def count(image):
        counted.append(1)
        return digest_of(image)

    digest_of = checked_images.image_digest
    monkeypatch.setattr(checked_images, "image_digest", count)
    for rows in (slice(0, 599), slice(0, 500), np.array([3, 3, 5]), 7, [0, 1]):
        assert (data.images[rows] == np.load(dataset_folder / "images.npy")[rows]).all()
    assert len(counted) == 599
    for rows in (
        slice(590, None),
        [1, 599],
        -1,
        np.arange(600) == 599,
        (slice(None), 0),
    ):
        with pytest.raises(StockpotError, match="image 599 is not what was prepared"):
            _ = data.images[rows]


def test_many_threads_give_the_digests_of_one(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (1000, 2, 2, 3)).astype(np.uint8)
    alone = b"".join(checked_images.image_digest(image) for image in images)
    monkeypatch.setattr(checked_images, "thread_count", lambda n: 7)
    assert checked_images.digests_of_images(images).tobytes() == alone
    assert [len(checked_images.digests_of_images(images[:n])) for n in (0, 3)] == [0, 3]


def test_no_more_threads_than_the_job_has(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert checked_images.thread_count(10**6) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "no number")
    assert checked_images.thread_count(10**6) == len(os.sched_getaffinity(0))
    assert checked_images.thread_count(10) == 1
