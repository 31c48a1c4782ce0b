"""Tests digests of files that are remembered as long as the files stay."""

import os
import random
import time

import pytest

from stockpot.runtime import file_digests
from stockpot.runtime.digest import sha256_file
from stockpot.runtime.file_digests import sha256_file_cached


@pytest.fixture
def hashed_paths(monkeypatch):
    """Paths of the files that were read for a digest, in order."""
    paths = []

    def count(path):
        paths.append(str(path))
        return sha256_file(path)

    monkeypatch.setattr(file_digests, "sha256_file", count)
    monkeypatch.setattr(file_digests, "SMALL", 0)
    return paths


def write_settled(path, content: bytes, seconds=60):
    """Write a file whose times, as far as they can be set, are in the past."""
    path.write_bytes(content)
    past = time.time() - seconds
    os.utime(path, (past, past))
    return path


@pytest.fixture
def an_hour_later(monkeypatch):
    """The clock an hour on, so that what was just written has settled."""
    now = time.time_ns()
    monkeypatch.setattr(file_digests.time, "time_ns", lambda: now + 3600 * 10**9)


def test_a_file_that_stays_is_read_once(tmp_path, hashed_paths, an_hour_later):
    path, cache = (
        write_settled(tmp_path / "model", b"weights"),
        tmp_path / "results" / "cache",
    )
    for _ in range(3):
        assert sha256_file_cached(path, cache) == sha256_file(path)
    assert hashed_paths == [str(path)]


@pytest.mark.parametrize("size", [10, 5 << 20], ids=["small", "large"])
def test_one_changed_byte_is_another_digest_even_with_the_old_time(
    tmp_path, hashed_paths, an_hour_later, size
):
    """As a file that is moved in the place of another: its times are older than all results."""
    path, cache = tmp_path / "model", tmp_path / "cache"
    with open(path, "wb") as file:
        file.truncate(size)
    before, times = sha256_file_cached(path, cache), os.stat(path)
    with open(path, "r+b") as file:
        file.seek(size * 3 // 7)
        file.write(b"x")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert sha256_file_cached(path, cache) == sha256_file(path) != before


def test_another_file_under_the_old_name_is_read(tmp_path, hashed_paths, an_hour_later):
    path, other, cache = tmp_path / "model", tmp_path / "other", tmp_path / "cache"
    write_settled(path, b"one")
    write_settled(other, b"two")
    os.utime(other, ns=(os.stat(path).st_atime_ns, os.stat(path).st_mtime_ns))
    sha256_file_cached(path, cache)
    os.replace(other, path)
    assert sha256_file_cached(path, cache) == sha256_file(path)


def test_a_file_that_changed_just_now_is_not_remembered(tmp_path, hashed_paths):
    path, cache = (
        write_settled(tmp_path / "model", b"weights"),
        tmp_path / "cache",
    )  # ctime is now
    sha256_file_cached(path, cache)
    assert not cache.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"seal": 1}', b"\xff" * 9]
)
def test_a_damaged_cache_costs_time_and_nothing_else(
    tmp_path, hashed_paths, an_hour_later, content
):
    path, cache = write_settled(tmp_path / "model", b"weights"), tmp_path / "cache"
    cache.write_bytes(content)
    assert sha256_file_cached(path, cache) == sha256_file(path)
    assert sha256_file_cached(path, cache) == sha256_file(path)
    assert len(hashed_paths) == 1


def test_no_changed_digit_of_the_cache_becomes_a_digest(
    tmp_path, hashed_paths, an_hour_later
):
    path, cache, rng = (
        write_settled(tmp_path / "model", b"weights"),
        tmp_path / "cache",
        random.Random(0),
    )
    sha256_file_cached(path, cache)
    whole = cache.read_bytes()
    for _ in range(50):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        cache.write_bytes(changed)
        assert sha256_file_cached(path, cache) == sha256_file(path)


def test_a_cache_that_cannot_be_written_is_done_without(
    tmp_path, hashed_paths, an_hour_later
):
    path = write_settled(tmp_path / "model", b"weights")
    (tmp_path / "results").write_text("a file in the way")
    assert sha256_file_cached(path, tmp_path / "results" / "cache") == sha256_file(path)
