"""Tests what a run keeps to go on from."""

from collections import namedtuple

import pytest
import torch

from stockpot.datasets import disk
from stockpot.runtime.errors import StockpotError
from stockpot.training.checkpointer import Checkpointer, TrainingProgress
from stockpot.training.distributed import Distributed
from tests.support.damaged_bytes import rewrite_bytes


def test_a_run_with_a_damaged_state_trains_from_its_beginning(tmp_path):
    model = torch.nn.Linear(2, 2)
    kept = Checkpointer({"model": model}, tmp_path / ".state", Distributed())
    kept.save(TrainingProgress(step=3), torch.Generator())
    rewrite_bytes(kept.path, lambda content: content[:-100])
    assert (
        Checkpointer({"model": model}, tmp_path / ".state", Distributed()).load()
        == TrainingProgress()
    )


def test_training_checks_its_room_first(tmp_path, monkeypatch):
    model = torch.nn.Linear(1000, 1000)
    weights = sum(tensor.nbytes for tensor in model.state_dict().values())
    usage = namedtuple("usage", "total used free")
    needed = (
        7 * weights
    )  # two states of weights and two moments, and the weights themselves
    kept = Checkpointer({"model": model}, tmp_path / ".state", Distributed())
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, needed - 1))
    with pytest.raises(
        StockpotError, match=r"state\.pt: training: needs 28\.0MB on the disk"
    ):
        kept.require_room(model, 0)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage(0, 0, needed))
    kept.require_room(model, 0)
