"""Models of other programs, and reading without a child process."""

import pytest
import torch

from stockpot.models.checkpoints import read
from stockpot.models.tower import build_tower
from tests.support import third_party_checkpoints as foreign


@pytest.fixture(autouse=True)
def in_this_process(request, monkeypatch):
    """Thousands of files are read here without a child process each; see ``bounded`` below."""
    if "in_a_child" not in request.keywords:
        monkeypatch.setattr(read, "bounded", lambda function, path: function(path))


@pytest.fixture(scope="module")
def foreign_classifier():
    torch.manual_seed(0)
    return foreign.ImageClassifier()


@pytest.fixture(scope="module")
def foreign_soup():
    torch.manual_seed(1)
    return foreign.ModelWrapper()


@pytest.fixture
def open_clip_tower():
    return build_tower({"library": "open_clip", "config": foreign.CONFIG}).eval()
