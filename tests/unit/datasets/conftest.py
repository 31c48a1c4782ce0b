"""Fixtures that several test files of this folder share."""

import numpy as np
import pytest

from stockpot.datasets import prepare as prepare_module
from stockpot.datasets.dataset import write_dataset
from stockpot.datasets.decoding import decode as decode_module
from tests.support.encoded_images import write_square


@pytest.fixture
def dataset_folder(tmp_path):
    """A data set of 600 images, so that they are hashed by several threads."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (600, 4, 4, 3), np.uint8)
    folder = tmp_path / "datasets" / "own-12345678"
    write_dataset(folder, "own", images, np.arange(600) % 3, ["a", "b", "c"], {})
    return folder


@pytest.fixture
def shards_of_four(monkeypatch):
    monkeypatch.setattr(decode_module, "SHARD", 4)
    monkeypatch.setattr(prepare_module, "decode_all", decode_module.decode_all)


@pytest.fixture
def animal_folder(tmp_path):
    for value in range(6):
        write_square(
            tmp_path / "own", f"{('ant', 'bee')[value % 2]}/{value}.png", value
        )
    return tmp_path / "own"
