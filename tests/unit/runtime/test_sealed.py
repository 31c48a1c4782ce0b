"""Tests files that carry a digest of their own content."""

import json
import os
import random

import pytest

from stockpot.runtime import sealed
from stockpot.runtime.errors import StockpotError


def test_a_sealed_file_is_read_as_it_was_written(tmp_path):
    content = {"b": [1, None, 0.1, "ä\n"], "a": {"10": 1, "9": {}}}
    sealed.write_sealed(tmp_path / "x.json", content)
    assert sealed.read_sealed(tmp_path / "x.json") == content
    assert list(sealed.read_sealed(tmp_path / "x.json")) == list(content)


def test_keys_that_are_numbers_are_sealed_as_the_texts_that_json_makes_of_them(
    tmp_path,
):
    sealed.write_sealed(tmp_path / "x.json", {10: 1, 9: 2})
    assert sealed.read_sealed(tmp_path / "x.json") == {"10": 1, "9": 2}


def test_a_sealed_file_may_be_laid_out_anew(tmp_path):
    path = tmp_path / "x.json"
    sealed.write_sealed(path, {"b": 1, "a": [0.5]})
    path.write_text(json.dumps(json.loads(path.read_text()), sort_keys=True))
    assert sealed.read_sealed(path) == {"a": [0.5], "b": 1}


def test_every_damage_of_a_sealed_file_is_named_or_changes_nothing(tmp_path):
    path, rng = tmp_path / "it's x.json", random.Random(0)
    content = {
        "cells": [{"k": 12, "n": 40, "value": 0.3, "model": "a"}],
        "status": {"a": "ok"},
    }
    sealed.write_sealed(path, content)
    whole = path.read_bytes()
    damages = [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        whole[:-20],
        bytes(len(whole)),
    ]
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
            assert line.startswith(f"{path}: damaged (")
            assert "\n" not in line
            assert len(line) < 500
            named += 1
    assert named > 250


@pytest.mark.process
def test_the_command_in_the_line_works_as_printed(tmp_path):
    path = tmp_path / "it's a $HOME.json"
    path.write_text("{}")
    with pytest.raises(StockpotError) as caught:
        sealed.read_sealed(path)
    command = (
        str(caught.value).rpartition("; ")[2].partition(" and the same command")[0]
    )
    assert os.system(command) == 0
    assert not path.exists()


def test_the_number_of_an_error_in_its_text_counts():
    error = OSError("Cannot allocate memory (os error 12)")
    assert "rm " not in str(sealed.unreadable("x", error))
    error = FileNotFoundError("No such file or directory: x")
    assert "rm -f x" in str(sealed.unreadable("x", error))
