"""Tests files of weights."""

import subprocess
import sys

import pytest
import safetensors
import safetensors.torch
import torch

from stockpot.models.weights_file import load_weights, save_weights
from stockpot.runtime.errors import StockpotError
from tests.support.damaged_bytes import flip_a_bit, rewrite_bytes
from tests.support.paths import SCRIPTS


def test_weights_of_ours_are_checked_and_those_of_others_read(tmp_path):
    tensors = {
        "a": torch.arange(6.0).reshape(2, 3),
        "b": torch.zeros(2, dtype=torch.int64),
    }
    path = tmp_path / "models/x-1/weights.safetensors"
    save_weights(path, tensors)
    assert {n: t.tolist() for n, t in load_weights(path).items()} == {
        n: t.tolist() for n, t in tensors.items()
    }
    rewrite_bytes(path, flip_a_bit(-9))
    with pytest.raises(
        StockpotError, match="weights.safetensors: damaged .its [ab] is not what"
    ):
        load_weights(path)
    safetensors.torch.save_file(tensors, path)
    assert load_weights(path).keys() == tensors.keys()
    path.write_bytes(b"")
    with pytest.raises(StockpotError, match="not weights that can be read"):
        load_weights(path)


@pytest.mark.process
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o007, 0o660)])
def test_what_is_written_has_the_rights_that_the_user_wants(tmp_path, mask, mode):
    """Also by safetensors, whose files only their owner could read."""
    code = f"""
import os, sys
os.umask({mask})
sys.path.insert(0, {str(SCRIPTS)!r})
import torch
from stockpot.models.weights_file import save_weights
save_weights({str(tmp_path / "weights.safetensors")!r}, {{"w": torch.ones(1)}})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == mode
