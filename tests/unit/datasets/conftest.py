"""Fixtures that several test files of this folder share."""

import numpy as np
import pytest

from stockpot.datasets.dataset import write_dataset


@pytest.fixture
def dataset_folder(tmp_path):
    """A data set of 600 images, so that they are hashed by several threads."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (600, 4, 4, 3), np.uint8)
    folder = tmp_path / "datasets" / "own-12345678"
    write_dataset(folder, "own", images, np.arange(600) % 3, ["a", "b", "c"], {})
    return folder
