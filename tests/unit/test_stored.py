"""What is stored carries digests, and is checked when it is used."""

import errno
import json
import multiprocessing
import os
import pickle
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors
import safetensors.torch
import torch
from matplotlib.figure import Figure

from stockpot.datasets import checked_images, disk, memory_map
from stockpot.datasets.dataset import read_card, read_dataset, write_dataset
from stockpot.drawing.style import save
from stockpot.evaluation import store
from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.stored_predictions import answers
from stockpot.models.weights_file import load_weights, save_weights
from stockpot.planning import saved_plan
from stockpot.planning.model_jobs import ModelJob, RunJob
from stockpot.planning.plan import Plan
from stockpot.runtime import array_digest, failures, file_digests, sealed
from stockpot.runtime import atomic_files as files
from stockpot.runtime.digest import sha256_file
from stockpot.runtime.errors import StockpotError
from stockpot.runtime.file_digests import sha256_file_cached
from stockpot.tables.measurements import read_table, write_table
from stockpot.training import state_file
from stockpot.training.averages import Averages
from stockpot.training.checkpointer import Checkpointer, TrainingProgress
from stockpot.training.distributed import Distributed
from tests.support.paths import SCRIPTS


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
    path, cache = (
        settled(tmp_path / "model", b"weights"),
        tmp_path / "results" / "cache",
    )
    for _ in range(3):
        assert sha256_file_cached(path, cache) == sha256_file(path)
    assert hashed == [str(path)]


@pytest.mark.parametrize("size", [10, 5 << 20], ids=["small", "large"])
def test_one_changed_byte_is_another_digest_even_with_the_old_time(
    tmp_path, hashed, later, size
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


def test_another_file_under_the_old_name_is_read(tmp_path, hashed, later):
    path, other, cache = tmp_path / "model", tmp_path / "other", tmp_path / "cache"
    settled(path, b"one")
    settled(other, b"two")
    os.utime(other, ns=(os.stat(path).st_atime_ns, os.stat(path).st_mtime_ns))
    sha256_file_cached(path, cache)
    os.replace(other, path)
    assert sha256_file_cached(path, cache) == sha256_file(path)


def test_a_file_that_changed_just_now_is_not_remembered(tmp_path, hashed):
    path, cache = (
        settled(tmp_path / "model", b"weights"),
        tmp_path / "cache",
    )  # ctime is now
    sha256_file_cached(path, cache)
    assert not cache.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"seal": 1}', b"\xff" * 9]
)
def test_a_damaged_cache_costs_time_and_nothing_else(tmp_path, hashed, later, content):
    path, cache = settled(tmp_path / "model", b"weights"), tmp_path / "cache"
    cache.write_bytes(content)
    assert sha256_file_cached(path, cache) == sha256_file(path)
    assert sha256_file_cached(path, cache) == sha256_file(path)
    assert len(hashed) == 1


def test_no_changed_digit_of_the_cache_becomes_a_digest(tmp_path, hashed, later):
    path, cache, rng = (
        settled(tmp_path / "model", b"weights"),
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


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, hashed, later):
    path = settled(tmp_path / "model", b"weights")
    (tmp_path / "results").write_text("a file in the way")
    assert sha256_file_cached(path, tmp_path / "results" / "cache") == sha256_file(path)


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


# Data sets.


@pytest.fixture
def dataset_folder(tmp_path):
    """A data set of 600 images, so that they are hashed by several threads."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (600, 4, 4, 3), np.uint8)
    folder = tmp_path / "datasets" / "own-12345678"
    write_dataset(folder, "own", images, np.arange(600) % 3, ["a", "b", "c"], {})
    return folder


def rewrite(path, change) -> None:
    """Change the bytes of a file and keep its times, as a disk does."""
    times = os.stat(path)
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def flipped(place):
    """A function that flips one bit at a place, counted from the end where it is negative."""

    def flip(content):
        changed = bytearray(content)
        changed[place] ^= 4
        return bytes(changed)

    return flip


def raising(error):
    """A function that raises it, whatever it is called with."""

    def fail(*arguments, **options):
        raise error

    return fail


def use(folder) -> None:
    """Read all of a data set, as a job does."""
    data = read_dataset(folder)
    assert data.images[:].shape == (600, 4, 4, 3)


@pytest.mark.parametrize(
    "file", ["images.npy", "labels.npy", "digests.npy", "dataset.json"]
)
@pytest.mark.parametrize(
    "change",
    [
        flipped(200),
        flipped(-1),
        lambda c: c[:-3],
        lambda c: b"",
        lambda c: c[:150] + bytes(80) + c[230:],
    ],
    ids=["a bit", "the last bit", "cut", "empty", "zeros"],
)
def test_a_damaged_data_set_is_named_with_what_makes_it_anew(
    dataset_folder, file, change
):
    use(dataset_folder)
    rewrite(dataset_folder / file, change)
    with pytest.raises(StockpotError) as caught:
        use(dataset_folder)
    line = str(caught.value)
    assert line.startswith(f"{dataset_folder / file}: damaged (")
    assert len(line) < 500
    assert f"rm -rf {dataset_folder} and the same command" in line


def test_an_image_is_checked_when_it_is_read_and_once(dataset_folder, monkeypatch):
    rewrite(dataset_folder / "images.npy", flipped(-1))  # of the last image
    data, hashed = read_dataset(dataset_folder), []

    def count(image):
        hashed.append(1)
        return digest_of(image)

    digest_of = checked_images.image_digest
    monkeypatch.setattr(checked_images, "image_digest", count)
    for rows in (slice(0, 599), slice(0, 500), np.array([3, 3, 5]), 7, [0, 1]):
        assert (data.images[rows] == np.load(dataset_folder / "images.npy")[rows]).all()
    assert len(hashed) == 599
    for rows in (
        slice(590, None),
        [1, 599],
        -1,
        np.arange(600) == 599,
        (slice(None), 0),
    ):
        with pytest.raises(StockpotError, match="image 599 is not what was prepared"):
            _ = data.images[rows]


@pytest.mark.parametrize(
    "code", [errno.ENOMEM, errno.EACCES, errno.EMFILE, errno.ESTALE, errno.EIO]
)
def test_a_fault_of_the_machine_advises_to_remove_nothing(
    dataset_folder, monkeypatch, code
):
    error = OSError(code, os.strerror(code))
    with monkeypatch.context() as patched:
        patched.setattr(memory_map.mmap, "mmap", raising(error))
        with pytest.raises(StockpotError) as of_images:
            read_dataset(dataset_folder)
    monkeypatch.setattr(sealed.Path, "read_bytes", raising(error))
    with pytest.raises(StockpotError) as of_card:
        read_dataset(dataset_folder)
    for caught in (of_images, of_card):
        line = str(caught.value)
        assert f"cannot be read ({os.strerror(code)})" in line
        assert "rm -" not in line


def test_the_number_of_an_error_in_its_text_counts():
    error = OSError("Cannot allocate memory (os error 12)")
    assert "rm " not in str(sealed.unreadable("x", error))
    error = FileNotFoundError("No such file or directory: x")
    assert "rm -f x" in str(sealed.unreadable("x", error))


@pytest.mark.skipif(
    not os.path.exists("/proc/self/smaps"), reason="Linux says how it maps"
)
def test_images_take_no_room_of_the_memory_until_they_are_read(dataset_folder):
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "2":
        pytest.skip("this machine counts every page")
    data = read_dataset(dataset_folder)
    assert data.images.flags.writeable  # or torch warns
    maps = re.split(
        r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text()
    )
    writable = [text for text in maps if str(dataset_folder / "images.npy") in text]
    flags = [text.partition("VmFlags:")[2].split() for text in writable]
    assert flags
    assert all("ac" not in each for each in flags)


def test_many_threads_give_the_digests_of_one(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (1000, 2, 2, 3)).astype(np.uint8)
    alone = b"".join(checked_images.image_digest(image) for image in images)
    monkeypatch.setattr(checked_images, "thread_count", lambda n: 7)
    assert checked_images.digests_of_images(images).tobytes() == alone
    assert [len(checked_images.digests_of_images(images[:n])) for n in (0, 3)] == [0, 3]


def test_no_more_threads_than_the_job_has(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert checked_images.thread_count(10**6) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "no number")
    assert checked_images.thread_count(10**6) == len(os.sched_getaffinity(0))
    assert checked_images.thread_count(10) == 1


def test_a_card_of_another_set_is_named(dataset_folder):
    other = dataset_folder.with_name("v2-87654321")
    images, labels = np.zeros((600, 4, 4, 3), np.uint8), np.arange(600) % 3
    write_dataset(other, "v2", images, labels, ["a", "b", "c"], {})
    shutil.copy(other / "dataset.json", dataset_folder / "dataset.json")
    with pytest.raises(
        StockpotError, match=r"it is that of datasets/v2-87654321/dataset\.json"
    ):
        read_card(dataset_folder)


def test_a_folder_that_was_moved_elsewhere_is_read(dataset_folder, tmp_path):
    use(shutil.move(dataset_folder, tmp_path / "elsewhere"))


# The store.


@pytest.fixture
def cells(tmp_path):
    """A store with two cells, the evaluations that list them, and the keys."""
    return two_cells(tmp_path / "results")


def two_cells(results):
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


def everything(results, key) -> list:
    found = answers(results / "store", key)
    return [found.predicted, found.correct, found.confidence, found.loss, found.logits]


def test_swapped_cells_are_misses_and_named(cells):
    results, cell_store, (one, two) = cells
    content = [cell_store.path(key).read_bytes() for key in (one, two)]
    cell_store.path(one).write_bytes(content[1])
    cell_store.path(two).write_bytes(content[0])
    for key in (one, two):
        assert cell_store.get(key) is None
        with pytest.raises(StockpotError, match="it answers another question"):
            everything(results, key)


@pytest.mark.slow
def test_every_damage_of_a_cell_is_a_miss_or_without_effect(cells):
    results, cell_store, (key, _) = cells
    path, rng = cell_store.path(key), random.Random(0)
    whole, before = path.read_bytes(), everything(results, key)
    damages = [b"", whole[:100], whole[:-1], bytes(len(whole)), whole + b"x"]
    damages += [flipped(rng.randrange(len(whole)))(whole) for _ in range(300)]
    misses = 0
    for damage in damages:
        path.write_bytes(damage)
        found = cell_store.get(key, logits=True)
        if found is None:
            misses += 1
            with pytest.raises(StockpotError, match="gone or broken"):
                everything(results, key)
        else:
            assert all(
                np.array_equal(a, b)
                for a, b in zip(everything(results, key), before, strict=True)
            )
    assert misses > 200


def test_a_damaged_cell_is_replaced(cells):
    _, cell_store, (key, _) = cells
    good = cell_store.get(key, logits=True)
    before = cell_store.path(key).read_bytes()
    rewrite(cell_store.path(key), flipped(-1))
    cell_store.put(key, good, {"rule": "linear", "ingredients": {"one": 1.0}}, "v2")
    assert cell_store.path(key).read_bytes() == before


def test_only_what_is_read_of_a_cell_is_checked(cells):
    """Of a thousand classes, logits are a thousand times what tables ask for."""
    results, cell_store, (key, _) = cells
    with safetensors.safe_open(cell_store.path(key), framework="np") as file:
        logits = file.get_tensor("logits").tobytes()
    rewrite(
        cell_store.path(key),
        lambda content: content.replace(logits, bytes(len(logits))),
    )
    assert cell_store.get(key) is not None
    assert cell_store.get(key, logits=True) is None
    assert len(answers(results / "store", key).correct) == 20


@pytest.mark.process
def test_the_hint_for_a_lost_cell_removes_what_lists_it(cells, monkeypatch):
    """And of the study that was planned last, not of one that no command asks for."""
    results, cell_store, (key, _) = cells
    shutil.copy(
        results / "evaluations/one.json", results / "evaluations/a-former-one.json"
    )
    sealed.write_sealed(
        results / "plan.json", {"plan": {"evaluations": {"one": 1}, "studies": {}}}
    )
    cell_store.path(key).unlink()
    monkeypatch.setattr(files, "WAIT_LIMIT_S", 0)
    with pytest.raises(StockpotError) as caught:
        everything(results, key)
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
    results, cell_store, (key, _) = two_cells(deep)
    cell_store.path(key).unlink()
    monkeypatch.setattr(files, "WAIT_LIMIT_S", 0)
    with pytest.raises(StockpotError) as caught:
        everything(results, key)
    log, snakemake_log = tmp_path / "job.log", tmp_path / "snakemake.log"
    log.write_text(f"error: {caught.value}\n")
    snakemake_log.write_text(f"    log: {log} (check log file(s) for error details)\n")
    (line,) = failures.failed_lines([str(snakemake_log)])
    command = re.search("; (rm .*) and the same command", line)[1]
    assert subprocess.run(command, shell=True).returncode == 0
    assert not (results / "evaluations/one.json").exists()
    assert (results / "evaluations/two.json").exists()


def test_the_text_of_an_error_is_still_bounded():
    error = StockpotError("x" * 10_000, advice="rm -f 'a\nb'")
    assert len(str(error)) < 520
    assert str(error).endswith("; rm -f 'a\\nb'")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


# Training states.


def state(content=1.0) -> dict:
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
    state_file.write_state(path, state())
    found = state_file.read_state(path)
    assert found.keys() == state().keys()
    assert torch.equal(found["model"]["w"], torch.ones(5, 5))
    assert found["progress"] == state()["progress"]


def test_every_damage_of_a_state_begins_anew(tmp_path, caplog):
    path, rng = tmp_path / "classifiers/run-1/.state/x/state.pt", random.Random(0)
    state_file.write_state(path, state())
    whole, wanted = path.read_bytes(), array_digest.tree_digest(state())
    damages = [b"", b"x", whole[:-30], whole[: len(whole) // 2], bytes(len(whole))]
    damages += [flipped(rng.randrange(len(whole)))(whole) for _ in range(150)]
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
    state_file.write_state(path, state())
    monkeypatch.setattr(state_file.torch, "load", raising(error))
    with pytest.raises(StockpotError, match=said) as caught:
        state_file.read_state(path)
    assert "rm " not in str(caught.value)


def test_the_state_of_another_run_is_none(tmp_path):
    one, other = (
        tmp_path / f"classifiers/{run}/.state/x/state.pt" for run in ("one", "other")
    )
    state_file.write_state(one, state())
    other.parent.mkdir(parents=True)
    shutil.copy(one, other)
    assert state_file.read_state(other) is None
    assert state_file.read_state(one) is not None


def test_a_run_with_a_damaged_state_trains_from_its_beginning(tmp_path):
    model = torch.nn.Linear(2, 2)
    kept = Checkpointer({"model": model}, tmp_path / ".state", Distributed())
    kept.save(TrainingProgress(step=3), torch.Generator())
    rewrite(kept.path, lambda content: content[:-100])
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


# Weights of pretrained models, tables, plans.


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
    rewrite(path, flipped(-9))
    with pytest.raises(
        StockpotError, match="weights.safetensors: damaged .its [ab] is not what"
    ):
        load_weights(path)
    safetensors.torch.save_file(tensors, path)
    assert load_weights(path).keys() == tensors.keys()
    path.write_bytes(b"")
    with pytest.raises(StockpotError, match="not weights that can be read"):
        load_weights(path)


def test_a_changed_table_is_named_and_one_without_a_seal_is_read(tmp_path):
    path = tmp_path / "studies/x/seed0/geometry.csv"
    table = pd.DataFrame({"model": ["a", "b"], "product": [1.25, 2.5]})
    write_table(table, path, "%.9g")
    assert path.read_text() == "model,product\na,1.25\nb,2.5\n"
    assert read_table(path).equals(table)
    rewrite(path, lambda content: content.replace(b"1.25", b"1.35"))
    with pytest.raises(
        StockpotError, match=r"geometry\.csv: damaged .*rm -f \S+ \S+ and the same"
    ):
        read_table(path)
    (path.parent / ".geometry.csv.seal").unlink()
    assert read_table(path)["product"].tolist() == [1.35, 2.5]


def test_a_damaged_plan_is_planned_anew(tmp_path):
    file, config = tmp_path / "plan.json", {"study": "x"}
    model = ModelJob("m-1", "1", {}, {}, {}, has_text=True)
    run = RunJob(
        "a", {"lr": 1}, "train", "held-out", ("zero-shot",), (), averages=False
    )
    saved_plan.save_plan(Plan(config, model, runs={"a": run}), file, config)
    assert saved_plan.load_plan(file, config).runs == {"a": run}
    for change in (
        flipped(40),
        lambda c: c[:-9],
        lambda c: b"",
        lambda c: b"[]",
        lambda c: b"7",
    ):
        whole = file.read_bytes()
        rewrite(file, change)
        assert saved_plan.load_plan(file, config) is None
        file.write_bytes(whole)


# A disk that is full, or fails.

LIMIT = 20_000  # bytes that a file may have


def written_by(tmp_path) -> dict:
    """Name of a file -> a function that writes more than ``LIMIT`` bytes to it."""
    big = torch.zeros(100, 100)
    table = pd.DataFrame({"x": np.arange(20_000)})
    figure = Figure((8, 8))
    figure.subplots().imshow(np.random.default_rng(0).random((200, 200)))
    images, labels = np.zeros((100, 16, 16, 3), np.uint8), np.zeros(100, int)
    cell = predictions(
        torch.zeros(5000, 3), torch.zeros(5000, dtype=int), keep_logits=True
    )
    averages = Averages(torch.nn.Linear(100, 100), [0.9], 1, 1)
    return {
        "state.pt": lambda path: state_file.write_state(path, {"model": {"w": big}}),
        "weights.safetensors": lambda path: save_weights(path, {"w": big}),
        "table.csv": lambda path: write_table(table, path),
        "sealed.json": lambda path: sealed.write_sealed(
            path, {"x": list(range(20_000))}
        ),
        "figure.png": lambda path: save(figure, path),
        "images.npy": lambda path: write_dataset(
            path.parent, "x", images, labels, ["a"], {}
        ),
        "averages.safetensors": lambda path: averages.save(path.parent),
        "ab/abcd.safetensors": lambda path: store.Store(path.parents[1]).put(
            "abcd", cell, {}, "x"
        ),
    }


def child(tmp_path, name, queue) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    writer = written_by(tmp_path)[name]
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    try:
        writer(tmp_path / name)
        queue.put("written")
    except StockpotError as error:
        queue.put(str(error))
    except BaseException as error:
        queue.put(repr(error))


@pytest.mark.process
@pytest.mark.parametrize(
    "name",
    [
        "state.pt",
        "weights.safetensors",
        "table.csv",
        "sealed.json",
        "figure.png",
        "images.npy",
        "averages.safetensors",
        "ab/abcd.safetensors",
    ],
)
def test_a_disk_that_takes_no_more_is_one_line_with_the_path(tmp_path, name):
    """A limit of the file's size stands for the disk's: writing fails in the same places."""
    fork = multiprocessing.get_context("fork")
    queue = fork.Queue()
    process = fork.Process(target=child, args=(tmp_path, name, queue))
    process.start()
    line = queue.get(timeout=120)
    process.join()
    assert line == f"{tmp_path / name}: cannot be written (File too large)"
    assert [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and "labels" not in path.name and "digests" not in path.name
    ] == []


def failing_with(error):
    def fail(*_):
        raise error

    return fail


LIBRARIES = {
    "numpy": OSError("3072 requested and 1024 written"),
    "torch": RuntimeError(
        "[enforce fail at inline_container.cc:603] . unexpected pos 57 vs 52"
    ),
    "a stream": RuntimeError("basic_ios::clear: iostream error"),
}


@pytest.mark.parametrize("error", LIBRARIES.values(), ids=LIBRARIES)
def test_the_reason_that_a_library_swallows_is_asked_for(tmp_path, monkeypatch, error):
    monkeypatch.setattr(
        os, "fsync", failing_with(OSError(errno.ENOSPC, "No space left on device"))
    )
    with (
        pytest.raises(
            StockpotError, match="x: cannot be written .No space left on device"
        ),
        files.atomic(tmp_path / "x"),
    ):
        raise error


def test_errors_about_other_files_are_left_as_they_are(tmp_path):
    for error in (
        FileNotFoundError(2, "no", "/another/file"),
        ValueError("x"),
        RuntimeError("y"),
    ):
        with pytest.raises(type(error)), files.atomic(tmp_path / "x"):
            raise error


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "results").write_text("a file in the way")
    with (
        pytest.raises(
            StockpotError,
            match=r"results/x\.json: cannot be written .(File exists|Not a)",
        ),
        files.atomic(tmp_path / "results/x.json"),
    ):
        pass


JOB = """
import sys, types
sys.path.insert(0, {scripts!r})
from stockpot.runtime.job import job

class Params(dict):
    spec = 1

snakemake = types.SimpleNamespace(
    log=[{log!r}], input=[], output=[], params=Params(), resources={{}}
)
with job(snakemake) as spec:
    {body}
"""


def run_job(tmp_path, body="print('worked')") -> subprocess.CompletedProcess:
    code = JOB.format(scripts=str(SCRIPTS), log=str(tmp_path / "job.log"), body=body)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.process
@pytest.mark.parametrize("name", ["job.log", ".job.log.lock"])
@pytest.mark.parametrize("make", ["link", "pipe"])
def test_no_log_or_lock_is_written_through_a_link_or_into_a_pipe(tmp_path, name, make):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    if make == "link":
        (tmp_path / name).symlink_to(victim)
    else:
        os.mkfifo(tmp_path / name)
    done = run_job(tmp_path)
    said = done.stderr if name == "job.log" else (tmp_path / "job.log").read_text()
    assert done.returncode == 1
    assert said.startswith(f"error: {tmp_path / name}: ")
    assert "is in the way of a file that is written here; move it away" in said
    assert victim.read_text() == "precious"


@pytest.mark.process
def test_an_error_of_the_disk_anywhere_is_one_line(tmp_path):
    done = run_job(
        tmp_path, "raise OSError(28, 'No space left on device', 'some/file')"
    )
    assert done.returncode == 1
    said = (tmp_path / "job.log").read_text()
    assert said == "error: some/file: cannot be written (No space left on device)\n"


@pytest.mark.process
def test_a_job_without_memory_says_so_in_one_line(tmp_path):
    """And calls nothing damaged that it could not read for want of memory."""
    done = run_job(tmp_path, "raise MemoryError('Unable to allocate 9 GiB')")
    assert done.returncode == 1
    said = (tmp_path / "job.log").read_text()
    assert said.startswith(
        "error: no memory left (Unable to allocate 9 GiB); give the job more"
    )
    assert said.count("\n") == 1


def test_an_entry_that_memory_is_too_small_for_is_not_called_broken(cells, monkeypatch):
    _, cell_store, (key, _) = cells

    def too_large(*_):
        raise MemoryError

    monkeypatch.setattr(store, "checked_arrays", too_large)
    with pytest.raises(MemoryError):
        cell_store.get(key)
    assert cell_store.path(key).exists()


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


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
"""


@pytest.mark.process
def test_a_log_on_a_full_disk_gives_way_to_the_last_word(tmp_path):
    body = FULL.format(room=200) + (
        "print('x' * 180, flush=True)\n"
        "from stockpot.runtime.errors import StockpotError\n"
        "raise StockpotError('x: it was full')"
    )
    done = run_job(tmp_path, body.replace("\n", "\n    "))
    assert done.returncode == 1
    assert (tmp_path / "job.log").read_text() == "error: x: it was full\n"


@pytest.mark.process
def test_a_log_that_cannot_be_written_at_all_is_told_on_the_terminal(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(sys.modules[__name__], "JOB", FULL.format(room=0) + JOB)
    (tmp_path / "job.log").write_text("before")
    done = run_job(tmp_path)
    line = f"error: {tmp_path}/.job.log.lock: cannot be written (File too large)\n"
    assert done.returncode == 1
    assert done.stderr == line


@pytest.mark.process
def test_no_message_sends_control_characters_to_a_log(tmp_path):
    run_job(
        tmp_path,
        r"import logging; logging.getLogger('stockpot').info('a\nerror: b\x1b[2J')",
    )
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0].endswith(r"a\nerror: b\x1b[2J")
