"""The test set, scored in every way, and models of one start that tests of evaluation share."""

import pytest

from stockpot.datasets.dataset import Scoring, read_dataset
from stockpot.models.card import read_card
from tests.support.scored_datasets import dataset_kept_as


@pytest.fixture(scope="module")
def world_test_set(world):
    return read_dataset(world["test"])


@pytest.fixture(scope="module")
def scorings(world_test_set):
    groups = [i % 3 for i in range(len(world_test_set))]
    return {
        "plain": Scoring(),
        "f1": Scoring("macro-f1"),
        "groups": Scoring("worst-group", groups=groups),
        "videos": Scoring(videos=[i // 8 for i in range(len(world_test_set))]),
    }


@pytest.fixture(scope="module")
def scored_sets(world_test_set, scorings, tmp_path_factory):
    """The test set, scored in every way."""
    root = tmp_path_factory.mktemp("scored")
    for name, scoring in scorings.items():
        dataset_kept_as(world_test_set, root / name, name, scoring)
    return {name: root / name for name in scorings}


@pytest.fixture(scope="module")
def one_start_folders(zero_shot, runs):
    """All that share the zero-shot start."""
    return {"zero": zero_shot, **{name: runs[name] for name in ("a", "b", "linear")}}


@pytest.fixture(scope="module")
def sha_of(one_start_folders):
    return {
        name: read_card(folder).sha256 for name, folder in one_start_folders.items()
    }


@pytest.fixture(scope="module")
def reference_set(world):
    return read_dataset(world["test"])


@pytest.fixture(scope="module")
def sketch_set(world):
    return read_dataset(world["sketch"])
