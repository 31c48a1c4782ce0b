"""Files that would do harm: none is run, and none asks for much."""

import io
import os
import pickle
import struct

import pytest
import torch
from safetensors.torch import save_file

from stockpot.models.checkpoints.read import read_tensors
from stockpot.runtime.errors import StockpotError
from tests.support.harmful_files import HARMFUL
from tests.support.interpreter import python
from tests.support.pickle_files import (
    CANARY,
    good_tensor,
    legacy_file,
    plain_pickle,
    storage_id,
    tensor_of,
    text_opcode,
    torch_saved,
    with_bytes,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", HARMFUL)
def test_harmful_or_broken_file_is_refused_with_its_line(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content, message = HARMFUL[name]
    (tmp_path / "evil.pt").write_bytes(content)
    with pytest.raises(StockpotError, match=rf"^evil\.pt: .*{message}") as error:
        read_tensors("evil.pt")
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    assert [path.name for path in tmp_path.iterdir()] == ["evil.pt"]


@pytest.mark.process
def test_the_harmful_files_would_run_where_pickles_are_loaded(tmp_path, monkeypatch):
    """Else the canary could not tell a reader that runs them from one that does not."""
    monkeypatch.chdir(tmp_path)
    for name in ("os.system", "eval", "exec", "subprocess", "INST", "as a parameter"):
        try:
            made = pickle.loads(HARMFUL[name][0])
        except Exception:  # what comes after the harm is of no interest
            made = None
        if name == "subprocess":
            made.wait()
        assert (tmp_path / CANARY).exists(), name
        (tmp_path / CANARY).unlink()
    torch.load(io.BytesIO(HARMFUL["in torch.save's pickle"][0]), weights_only=False)
    assert (tmp_path / CANARY).exists()


AUDITED = """
import encodings.cp437, json, os, resource, sys  # zipfile's names are in cp437
from pathlib import Path
from stockpot.runtime.errors import StockpotError
from stockpot.models.checkpoints import read
from stockpot.models.checkpoints.read import read_tensors

# A child process would not tell its events.
read.bounded = lambda function, path: function(path)
events, accepted = [], []
folder = Path({folder!r})
os.chdir(folder)
QUIET = {{"open", "mmap.__new__", "os.listdir", "os.scandir", "object.__getattr__", "builtins.id"}}

def hook(event, arguments):
    writing = event == "open" and arguments[1] not in ("r", "rb", None)
    if event not in QUIET or writing:
        events.append(event + " " + repr(arguments)[:80])

# What is imported only when first needed is imported now.
for path in sorted(folder.glob("good*")):
    read_tensors(path)
files = sorted(folder.glob("evil*"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
modules = set(sys.modules)
sys.addaudithook(hook)
for path in files:
    try:
        read_tensors(path)
        accepted.append(path.name)
    except StockpotError:
        pass
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([events, accepted, sorted(set(sys.modules) - modules), grown]))
"""


@pytest.mark.process
@pytest.mark.slow
def test_nothing_is_run_imported_written_or_claimed(tmp_path):
    """In a fresh interpreter that reports every event of Python's audit hooks."""
    (tmp_path / "good.zip").write_bytes(torch_saved())
    (tmp_path / "good.pkl").write_bytes(
        plain_pickle(b"}" + text_opcode("a") + good_tensor() + b"s")
    )
    save_file({"a": torch.ones(1)}, tmp_path / "good.safetensors")
    for i, (content, _) in enumerate(HARMFUL.values()):
        (tmp_path / f"evil-{i:03}").write_bytes(content)
    events, accepted, modules, grown = python(AUDITED.format(folder=str(tmp_path)))
    assert events == []
    assert accepted == []
    assert modules == []
    assert not (tmp_path / CANARY).exists()
    assert grown < 300_000, "kilobytes; the files claim terabytes"


def long_names() -> bytes:
    """20,000 tensors under one key of half a megabyte."""
    tensor = tensor_of(
        with_bytes(
            legacy_file(storage_id(b"K\x04"), "0") + struct.pack("<q4f", 4, 1, 2, 3, 4)
        )
    )
    body = (
        b"}" + text_opcode("a" * 500_000) + b"}(" + text_opcode("0") + tensor + b"q\x01"
    )
    body += b"".join(text_opcode(str(i)) + b"h\x01" for i in range(1, 20_000))
    return plain_pickle(body + b"us")


def many_visits() -> bytes:
    """A dict of 40,000 entries under 40,000 names."""
    inner = b"".join(text_opcode(str(i)) + b"N" for i in range(40_000))
    body = (
        b"}("
        + inner
        + b"uq\x010}("
        + b"".join(text_opcode(str(i)) + b"h\x01" for i in range(40_000))
    )
    return plain_pickle(body + b"u")


def one_hash() -> bytes:
    """50,000 different integers that Python hashes to one number."""
    keys = (k * ((1 << 61) - 1) for k in range(2, 50_002))
    parts = (
        b"\x8a" + bytes([len(n)]) + n + b"N"
        for n in (k.to_bytes(11, "little") for k in keys)
    )
    return plain_pickle(b"}(" + b"".join(parts) + b"u")


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.in_a_child
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (long_names, "MB of memory, too much|much larger than"),
        (many_visits, "nested without end"),
        (one_hash, "no named tensors"),
    ],
)
def test_a_small_file_does_not_ask_for_much(tmp_path, make, said):
    path = tmp_path / "small.pt"
    path.write_bytes(make())
    began = sum(os.times()[:4])
    with pytest.raises(StockpotError, match=said) as error:
        read_tensors(path)
    assert sum(os.times()[:4]) - began < 15, (
        "seconds of a processor; the file asks for hours"
    )
    assert "\n" not in str(error.value)
    assert len(str(error.value)) <= 500
