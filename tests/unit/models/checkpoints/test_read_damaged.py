"""Files that are cut short, damaged, too large, or no files."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from stockpot.models.checkpoints import pickles
from stockpot.models.checkpoints.read import read_tensors
from stockpot.runtime.errors import StockpotError
from tests.support.checkpoint_files import write_checkpoint


def every_kind(folder) -> dict:
    torch.manual_seed(3)
    content = {"a": torch.randn(5, 3), "b": OrderedDict(c=torch.randn(2).half())}
    for way in ("pickle", "zip", "legacy"):
        write_checkpoint(content, folder / way, way, 4 if way == "pickle" else 2)
    save_file({"a": torch.randn(5, 3)}, folder / "safetensors")
    torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(2, 3))), folder / "script")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy", "safetensors", "script"])
def test_file_cut_short_anywhere_is_refused(kind, tmp_path):
    whole = every_kind(tmp_path)[kind]
    for size in {*range(0, len(whole), max(1, len(whole) // 150)), len(whole) - 1}:
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(StockpotError, match="cut: not a checkpoint") as error:
            read_tensors(tmp_path / "cut")
        assert "\n" not in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pickle", "zip", "legacy", "safetensors", "script"])
def test_damaged_file_is_read_or_refused(kind, tmp_path):
    """Whatever a changed byte does, the only error is the user's line."""
    whole, random = every_kind(tmp_path)[kind], np.random.default_rng(4)
    for _ in range(400):
        damaged = bytearray(whole)
        for at in random.integers(len(whole), size=random.integers(1, 4)):
            damaged[at] = random.integers(256)
        (tmp_path / "damaged").write_bytes(damaged)
        try:
            tensors, refusal = read_tensors(tmp_path / "damaged"), ""
        except StockpotError as error:
            tensors, refusal = {}, str(error)
        assert "\n" not in refusal
        assert sum(t.nbytes for t in tensors.values()) <= 4 * len(whole)


@pytest.mark.parametrize("way", ["a folder", "missing"])
def test_path_that_is_no_file_is_named(tmp_path, way):
    path = tmp_path if way == "a folder" else tmp_path / "nowhere.pt"
    with pytest.raises(StockpotError, match=rf"^{path}: cannot be read"):
        read_tensors(path)


@pytest.mark.parametrize("offset", [1 << 32, 1 << 63, (1 << 64) - 1])
def test_an_offset_of_64_bits_outside_of_the_file_is_a_line(tmp_path, offset):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
    data = content.getvalue()
    at, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    length = struct.unpack_from("<H", data, at + 28)[0]
    head = bytearray(data[at : at + 46 + length])
    struct.pack_into("<II", head, 20, 2**32 - 1, 2**32 - 1)
    struct.pack_into("<H", head, 30, 28)
    struct.pack_into("<I", head, 42, 2**32 - 1)
    changed = (
        data[:at]
        + bytes(head)
        + struct.pack("<HHQQQ", 1, 24, 5, 5, offset)
        + data[end:]
    )
    end = changed.index(b"PK\5\6")
    changed = changed[: end + 12] + struct.pack("<I", end - at) + changed[end + 16 :]
    (tmp_path / "a.pt").write_bytes(changed)
    with pytest.raises(StockpotError, match=r"^.*a\.pt: not a checkpoint \(") as error:
        read_tensors(tmp_path / "a.pt")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
            "git lfs pull fetches",
        ),
        (b"<!DOCTYPE html><html>", "a page of a website"),
        (b'{"metadata": {}, "weight_map": {}}', "make one with all tensors"),
    ],
)
def test_what_stands_in_for_a_checkpoint_says_what_to_do(tmp_path, content, said):
    (tmp_path / "a.pt").write_bytes(content)
    with pytest.raises(StockpotError, match=said):
        read_tensors(tmp_path / "a.pt")


def test_a_large_file_may_list_many_paths(monkeypatch):
    paths = [f"images/{i}.png" for i in range(100)]
    content = pickle.dumps(paths)
    monkeypatch.setattr(pickles, "MOST_OPCODES", 50)
    assert (
        pickles.read_pickle(io.BytesIO(content), file_size=100 * len(content)) == paths
    )
    with pytest.raises(ValueError, match="more than 50 steps"):
        pickles.read_pickle(io.BytesIO(content), file_size=800)


def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.pt")
    with pytest.raises(StockpotError, match="it is a pipe"):
        read_tensors(tmp_path / "a.pt")
