"""Tests files of training states."""

import errno
import random
import shutil

import pytest
import torch

from stockpot.runtime import array_digest
from stockpot.runtime.errors import StockpotError
from stockpot.training import state_file
from tests.support.damaged_bytes import flip_a_bit, raising


def training_state(content=1.0) -> dict:
    return {
        "model": {"w": torch.full((5, 5), content), "n": torch.tensor(3)},
        "optimizer": {
            "state": {0: {"step": torch.tensor(2.0)}},
            "groups": [{"betas": (0.9, 0.99)}],
        },
        "progress": {"history": [{"loss": 0.1}], "draws": None, "step": 4},
    }


def test_a_state_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "classifiers/run-1/.state/x/state.pt"
    state_file.write_state(path, training_state())
    found = state_file.read_state(path)
    assert found.keys() == training_state().keys()
    assert torch.equal(found["model"]["w"], torch.ones(5, 5))
    assert found["progress"] == training_state()["progress"]


def test_every_damage_of_a_state_begins_anew(tmp_path, caplog):
    path, rng = tmp_path / "classifiers/run-1/.state/x/state.pt", random.Random(0)
    state_file.write_state(path, training_state())
    whole, wanted = path.read_bytes(), array_digest.tree_digest(training_state())
    damages = [b"", b"x", whole[:-30], whole[: len(whole) // 2], bytes(len(whole))]
    damages += [flip_a_bit(rng.randrange(len(whole)))(whole) for _ in range(150)]
    refused = 0
    for damage in damages:
        path.write_bytes(damage)
        found = state_file.read_state(path)
        assert found is None or array_digest.tree_digest(found) == wanted
        refused += found is None
    assert refused > 20
    assert len(caplog.records) == refused
    assert all("\n" not in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.ESTALE, "Stale file handle"),
            r"cannot be read \(Stale file handle\)",
        ),
        (MemoryError(), "no memory left"),
        (torch.OutOfMemoryError("CUDA out of memory"), "no memory left"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "no memory left",
        ),
    ],
    ids=["stale", "memory", "memory of the GPU", "memory of torch"],
)
def test_a_fault_of_the_machine_does_not_begin_anew(tmp_path, monkeypatch, error, said):
    path = tmp_path / "state.pt"
    state_file.write_state(path, training_state())
    monkeypatch.setattr(state_file.torch, "load", raising(error))
    with pytest.raises(StockpotError, match=said) as caught:
        state_file.read_state(path)
    assert "rm " not in str(caught.value)


def test_the_state_of_another_run_is_none(tmp_path):
    one, other = (
        tmp_path / f"classifiers/{run}/.state/x/state.pt" for run in ("one", "other")
    )
    state_file.write_state(one, training_state())
    other.parent.mkdir(parents=True)
    shutil.copy(one, other)
    assert state_file.read_state(other) is None
    assert state_file.read_state(one) is not None
