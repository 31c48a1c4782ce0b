"""Files are read in processes with bounds on time and memory."""

import os
import time

import pytest

from stockpot.datasets import bounded as bounds
from stockpot.datasets.bounded import bounded
from stockpot.runtime.errors import StockpotError


def measure_size(path, add=0):
    return os.path.getsize(path) + add


def use_memory(path):
    return len(b"x" * (300 << 20))


def loop_forever(path):
    while True:
        pass


def raise_own_error(path):
    raise StockpotError(f"{path}: no")


def raise_key_error(path):
    raise KeyError("k")


def crash(path):
    os.kill(os.getpid(), 11)


@pytest.mark.process
def test_a_bounded_reader_answers_or_ends_with_one_line(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert bounded(measure_size, file, 2) == 7
    with pytest.raises(StockpotError, match=f"^{file}: no$"):
        bounded(raise_own_error, file)
    with pytest.raises(KeyError, match="k"):
        bounded(raise_key_error, file)
    with pytest.raises(
        StockpotError, match="key: .*file: reading it needs more than 200 MB"
    ):
        bounded(use_memory, file, what="key")
    with pytest.raises(StockpotError, match="its reader crashed"):
        bounded(crash, file)
    monkeypatch.setattr(bounds, "CPU_BASE_S", 1)
    with pytest.raises(
        StockpotError, match="needs more than 1 seconds, too much for a file of 5"
    ):
        bounded(loop_forever, file)


@pytest.mark.process
def test_a_bounded_reader_that_waits_is_ended(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_bytes(b"1")
    monkeypatch.setattr(bounds, "WALL_FACTOR", 0.01)
    with pytest.raises(StockpotError, match="needs more than"):
        bounded(lambda path: time.sleep(600), file)


@pytest.mark.process
def test_a_reader_that_the_system_killed_is_not_said_to_be_slow(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"1")
    with pytest.raises(
        StockpotError,
        match="key: .*the system killed the process that reads it.* memory left",
    ):
        bounded(lambda path: os.kill(os.getpid(), 9), file, what="key")


def test_no_reader_is_waited_for_longer_than_twenty_minutes():
    assert bounds.silence_limit(1) == bounds.silence_limit(2 << 30) == 1200


@pytest.mark.process
def test_a_larger_file_may_take_more(tmp_path):
    file = tmp_path / "file"
    with open(file, "wb") as sparse:
        sparse.truncate(64 << 20)
    assert bounded(use_memory, file) == 300 << 20
