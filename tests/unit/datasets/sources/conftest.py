"""Fixtures that several test files of this folder share."""

from pathlib import Path

import pytest

from stockpot.datasets import sources
from tests.support.solid_colours import Painter


@pytest.fixture(scope="session")
def painter(tmp_path_factory):
    return Painter(tmp_path_factory.mktemp("coloured"))


@pytest.fixture(scope="session")
def imagenet_classes():
    return sources.module("imagenet").classes({"source": "imagenet"}, Path)


@pytest.fixture
def class_list(tmp_path):
    file = tmp_path / "classes.txt"
    file.write_text("cat\ndog\n")
    return str(file)
