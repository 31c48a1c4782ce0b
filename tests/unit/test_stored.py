"""What is stored carries digests, and is checked when it is used."""

import json
import os
import random
import time

import pytest

from stockpot import file_digests, sealed
from stockpot.digest import sha256_file
from stockpot.errors import StockpotError
from stockpot.file_digests import sha256_file_cached


@pytest.fixture
def hashed(monkeypatch):
    """Paths of the files that were read for a digest, in order."""
    paths = []

    def count(path):
        paths.append(str(path))
        return sha256_file(path)

    monkeypatch.setattr(file_digests, "sha256_file", count)
    monkeypatch.setattr(file_digests, "SMALL", 0)
    return paths


def settled(path, content: bytes, seconds=60):
    """Write a file whose times, as far as they can be set, are in the past."""
    path.write_bytes(content)
    past = time.time() - seconds
    os.utime(path, (past, past))
    return path


@pytest.fixture
def later(monkeypatch):
    """The clock an hour on, so that what was just written has settled."""
    now = time.time_ns()
    monkeypatch.setattr(file_digests.time, "time_ns", lambda: now + 3600 * 10**9)


def test_a_file_that_stays_is_read_once(tmp_path, hashed, later):
    path, cache = settled(tmp_path / "model", b"weights"), tmp_path / "results" / "cache"
    for _ in range(3):
        assert sha256_file_cached(path, cache) == sha256_file(path)
    assert hashed == [str(path)]


@pytest.mark.parametrize("size", [10, 65 << 20], ids=["small", "large"])
def test_one_changed_byte_is_another_digest_even_with_the_old_time(tmp_path, hashed, later, size):
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


def test_another_file_under_the_old_name_is_read(tmp_path, hashed, later):
    path, other, cache = tmp_path / "model", tmp_path / "other", tmp_path / "cache"
    settled(path, b"one")
    settled(other, b"two")
    os.utime(other, ns=(os.stat(path).st_atime_ns, os.stat(path).st_mtime_ns))
    sha256_file_cached(path, cache)
    os.replace(other, path)
    assert sha256_file_cached(path, cache) == sha256_file(path)


def test_a_file_that_changed_just_now_is_not_remembered(tmp_path, hashed):
    path, cache = settled(tmp_path / "model", b"weights"), tmp_path / "cache"  # ctime is now
    sha256_file_cached(path, cache)
    assert not cache.exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"seal": 1}', b"\xff" * 9])
def test_a_damaged_cache_costs_time_and_nothing_else(tmp_path, hashed, later, content):
    path, cache = settled(tmp_path / "model", b"weights"), tmp_path / "cache"
    cache.write_bytes(content)
    assert sha256_file_cached(path, cache) == sha256_file(path)
    assert sha256_file_cached(path, cache) == sha256_file(path)
    assert len(hashed) == 1


def test_no_changed_digit_of_the_cache_becomes_a_digest(tmp_path, hashed, later):
    path, cache, rng = settled(tmp_path / "model", b"weights"), tmp_path / "cache", random.Random(0)
    sha256_file_cached(path, cache)
    whole = cache.read_bytes()
    for _ in range(50):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        cache.write_bytes(changed)
        assert sha256_file_cached(path, cache) == sha256_file(path)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, hashed, later):
    path = settled(tmp_path / "model", b"weights")
    (tmp_path / "results").write_text("a file in the way")
    assert sha256_file_cached(path, tmp_path / "results" / "cache") == sha256_file(path)


def test_a_sealed_file_is_read_as_it_was_written(tmp_path):
    content = {"b": [1, None, 0.1, "ä\n"], "a": {"10": 1, "9": {}}}
    sealed.write_sealed(tmp_path / "x.json", content)
    assert sealed.read_sealed(tmp_path / "x.json") == content
    assert list(sealed.read_sealed(tmp_path / "x.json")) == list(content)


def test_keys_that_are_numbers_are_sealed_as_the_texts_that_json_makes_of_them(tmp_path):
    sealed.write_sealed(tmp_path / "x.json", {10: 1, 9: 2})
    assert sealed.read_sealed(tmp_path / "x.json") == {"10": 1, "9": 2}


def test_a_sealed_file_may_be_laid_out_anew(tmp_path):
    path = tmp_path / "x.json"
    sealed.write_sealed(path, {"b": 1, "a": [0.5]})
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    assert sealed.read_sealed(path) == {"a": [0.5], "b": 1}


def test_every_damage_of_a_sealed_file_is_named_or_changes_nothing(tmp_path):
    path, rng = tmp_path / "it's x.json", random.Random(0)
    content = {"cells": [{"k": 12, "n": 40, "value": 0.3, "model": "a"}], "status": {"a": "ok"}}
    sealed.write_sealed(path, content)
    whole = path.read_bytes()
    damages = [b"", b"null", b"[]", b"{}", b"[" * 100_000, whole[:-20], bytes(len(whole))]
    for _ in range(300):
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        damages.append(bytes(changed))
    named = 0
    for damage in damages:
        path.write_bytes(damage)
        try:
            assert sealed.read_sealed(path) == content
        except StockpotError as error:
            line = str(error)
            assert line.startswith(f"{path}: damaged (") and "\n" not in line and len(line) < 500
            named += 1
    assert named > 250


def test_the_command_in_the_line_works_as_printed(tmp_path):
    path = tmp_path / "it's a $HOME.json"
    path.write_text("{}")
    with pytest.raises(StockpotError) as caught:
        sealed.read_sealed(path)
    command = str(caught.value).rpartition("; ")[2].partition(" and the same command")[0]
    assert os.system(command) == 0 and not path.exists()
