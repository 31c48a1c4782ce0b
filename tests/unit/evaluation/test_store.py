"""Tests the store of predictions: damaged cells are replaced or named."""

import os
import random
import re
import shutil
import subprocess

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

from stockpot.evaluation import store
from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.stored_predictions import answers
from stockpot.runtime import atomic_files, failures, sealed
from stockpot.runtime.errors import StockpotError
from tests.support.damaged_bytes import flip_a_bit, rewrite_bytes


@pytest.fixture
def store_of_two_cells(tmp_path):
    """A store with two cells, the evaluations that list them, and the keys."""
    return write_two_cells(tmp_path / "results")


def write_two_cells(results):
    cell_store = store.Store(results / "store")
    keys = []
    for name in ("one", "two"):
        recipe = {"rule": "linear", "ingredients": {name: 1.0}}
        keys.append(store.store_key(recipe, "fingerprint", "fp32"))
        logits = torch.randn(
            20, 3, generator=torch.Generator().manual_seed(len(name) + len(keys))
        )
        cell_store.put(
            keys[-1],
            predictions(logits, torch.arange(20) % 3, keep_logits=True),
            recipe,
            "v2",
        )
        sealed.write_sealed(
            results / "evaluations" / f"{name}.json",
            {"cells": [{"key": keys[-1]}], "status": {}},
        )
    return results, cell_store, keys


def all_answers(results, key) -> list:
    found = answers(results / "store", key)
    return [found.predicted, found.correct, found.confidence, found.loss, found.logits]


def test_swapped_cells_are_misses_and_named(store_of_two_cells):
    results, cell_store, (one, two) = store_of_two_cells
    content = [cell_store.path(key).read_bytes() for key in (one, two)]
    cell_store.path(one).write_bytes(content[1])
    cell_store.path(two).write_bytes(content[0])
    for key in (one, two):
        assert cell_store.get(key) is None
        with pytest.raises(StockpotError, match="it answers another question"):
            all_answers(results, key)


@pytest.mark.slow
def test_every_damage_of_a_cell_is_a_miss_or_without_effect(store_of_two_cells):
    results, cell_store, (key, _) = store_of_two_cells
    path, rng = cell_store.path(key), random.Random(0)
    whole, before = path.read_bytes(), all_answers(results, key)
    damages = [b"", whole[:100], whole[:-1], bytes(len(whole)), whole + b"x"]
    damages += [flip_a_bit(rng.randrange(len(whole)))(whole) for _ in range(300)]
    misses = 0
    for damage in damages:
        path.write_bytes(damage)
        found = cell_store.get(key, logits=True)
        if found is None:
            misses += 1
            with pytest.raises(StockpotError, match="gone or broken"):
                all_answers(results, key)
        else:
            assert all(
                np.array_equal(a, b)
                for a, b in zip(all_answers(results, key), before, strict=True)
            )
    assert misses > 200


def test_a_damaged_cell_is_replaced(store_of_two_cells):
    _, cell_store, (key, _) = store_of_two_cells
    good = cell_store.get(key, logits=True)
    before = cell_store.path(key).read_bytes()
    rewrite_bytes(cell_store.path(key), flip_a_bit(-1))
    cell_store.put(key, good, {"rule": "linear", "ingredients": {"one": 1.0}}, "v2")
    assert cell_store.path(key).read_bytes() == before


def test_only_what_is_read_of_a_cell_is_checked(store_of_two_cells):
    """Of a thousand classes, logits are a thousand times what tables ask for."""
    results, cell_store, (key, _) = store_of_two_cells
    with safetensors.safe_open(cell_store.path(key), framework="np") as file:
        logits = file.get_tensor("logits").tobytes()
    rewrite_bytes(
        cell_store.path(key),
        lambda content: content.replace(logits, bytes(len(logits))),
    )
    assert cell_store.get(key) is not None
    assert cell_store.get(key, logits=True) is None
    assert len(answers(results / "store", key).correct) == 20


@pytest.mark.process
def test_the_hint_for_a_lost_cell_removes_what_lists_it(
    store_of_two_cells, monkeypatch
):
    """And of the study that was planned last, not of one that no command asks for."""
    results, cell_store, (key, _) = store_of_two_cells
    shutil.copy(
        results / "evaluations/one.json", results / "evaluations/a-former-one.json"
    )
    sealed.write_sealed(
        results / "plan.json", {"plan": {"evaluations": {"one": 1}, "studies": {}}}
    )
    cell_store.path(key).unlink()
    monkeypatch.setattr(atomic_files, "WAIT_LIMIT_S", 0)
    with pytest.raises(StockpotError) as caught:
        all_answers(results, key)
    command = re.search("; (rm .*) and the same command", str(caught.value))[1]
    assert os.system(command) == 0
    left = sorted(path.name for path in (results / "evaluations").iterdir())
    assert left == ["a-former-one.json", "two.json"]


@pytest.mark.process
def test_a_command_in_an_error_is_whole_however_long_its_paths_are(
    tmp_path, monkeypatch
):
    """Also as a failed run repeats it from the log of its job."""
    deep = tmp_path.joinpath(
        *["results with a name of many letters" * 5] * 4, "results"
    )
    results, cell_store, (key, _) = write_two_cells(deep)
    cell_store.path(key).unlink()
    monkeypatch.setattr(atomic_files, "WAIT_LIMIT_S", 0)
    with pytest.raises(StockpotError) as caught:
        all_answers(results, key)
    log, snakemake_log = tmp_path / "job.log", tmp_path / "snakemake.log"
    log.write_text(f"error: {caught.value}\n")
    snakemake_log.write_text(f"    log: {log} (check log file(s) for error details)\n")
    (line,) = failures.failed_lines([str(snakemake_log)])
    command = re.search("; (rm .*) and the same command", line)[1]
    assert subprocess.run(command, shell=True).returncode == 0
    assert not (results / "evaluations/one.json").exists()
    assert (results / "evaluations/two.json").exists()


def test_an_entry_that_memory_is_too_small_for_is_not_called_broken(
    store_of_two_cells, monkeypatch
):
    _, cell_store, (key, _) = store_of_two_cells

    def too_large(*_):
        raise MemoryError

    monkeypatch.setattr(store, "checked_arrays", too_large)
    with pytest.raises(MemoryError):
        cell_store.get(key)
    assert cell_store.path(key).exists()
