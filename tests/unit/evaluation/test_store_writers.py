"""Many processes at one store, some of them killed: no entry is lost, broken or mixed."""

import itertools
import json
import multiprocessing
import os
import random
import signal
import time

import pytest
import torch
from safetensors import safe_open

from stockpot.evaluation import store as store_module
from stockpot.evaluation.predictions import Predictions
from stockpot.evaluation.store import Store
from stockpot.runtime import atomic_files as files
from tests.support.numbered_entries import KEYS, ROWS, SECONDS, numbered_entry

pytestmark = [pytest.mark.process, pytest.mark.slow]


LONGEST = 600  # seconds, on a busy machine


# Processes share the imports of this one; a new interpreter each would take longer than the test.
fork = multiprocessing.get_context("fork")


def numbered_key(i: int) -> str:
    return f"{i % 7:02d}{i:08d}"


def is_wrong(found: Predictions, i: int) -> bool:
    columns = [found.predicted, found.confidence, found.loss]
    columns += [] if found.logits is None else [found.logits]
    return found.n != ROWS or any((column != i).any() for column in columns)


def write_without_end(root, done, seed: int) -> None:
    """Put the keys one after the other, as all writers do at once, and own ones in between.

    done: for every key 1 as soon as it is there, 2 with logits.
    """
    store, rng = Store(root), random.Random(seed)
    for i in itertools.cycle(range(KEYS // 2)):
        for number in (i, KEYS // 2 + (i * 8 + seed) % (KEYS // 2)):
            logits = rng.random() < 0.5
            store.put(
                numbered_key(number),
                numbered_entry(number, logits),
                {"of": number},
                "test",
            )
            done[number] = max(done[number], 1 + logits)


def read_without_end(root, done, faults) -> None:
    store, rng = Store(root), random.Random()
    while True:
        # Most often one that is being written.
        last = max((i for i in range(0, KEYS // 2) if done[i]), default=0)
        i = rng.randrange(last + 2) if rng.random() < 0.3 else last + rng.randrange(2)
        promised = done[i]
        found = store.get(numbered_key(i), logits=promised == 2)
        if found is None:
            faults[0] += bool(promised)
        else:
            faults[1] += is_wrong(found, i)
        faults[2] += 1


def die_before_the_move(root) -> None:
    files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    Store(root).put(
        numbered_key(KEYS), numbered_entry(KEYS, True), {"of": KEYS}, "test"
    )


@pytest.fixture
def store_after_storm(tmp_path):
    """A store after writers, readers and kills: its root, what was done, what readers saw."""
    done = fork.Array("i", KEYS, lock=False)
    faults = [fork.Array("i", 3, lock=False) for _ in range(2)]
    seeds = itertools.count()

    def start(target, *arguments):
        process = fork.Process(target=target, args=(tmp_path, *arguments), daemon=True)
        process.start()
        return process

    def writer():
        return start(write_without_end, done, next(seeds))

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    victim = start(die_before_the_move)
    writers = [writer() for _ in range(6)]
    readers = [start(read_without_end, done, seen) for seen in faults]
    try:
        start_time, kills = time.monotonic(), 0
        while time.monotonic() < start_time + SECONDS or not (
            kills > 5
            and sum(map(bool, done)) > 50
            and all(seen[2] > 50 for seen in faults)
        ):
            assert time.monotonic() < start_time + LONGEST, "nothing gets done"
            time.sleep(0.15)
            writers.pop(0).kill()
            kills += 1
            writers.append(writer())
        assert all(process.is_alive() for process in (*writers, *readers))
    finally:
        for process in (*writers, *readers):
            process.kill()
            process.join()
        victim.join()
        torch.set_num_threads(threads)
    assert victim.exitcode == -signal.SIGKILL
    return tmp_path, list(done), faults


def test_no_entry_is_lost_broken_or_mixed(store_after_storm):
    root, done, faults = store_after_storm
    store = Store(root)
    assert sum(map(bool, done)) > 50
    assert all(seen[2] > 50 for seen in faults)
    assert [list(seen[:2]) for seen in faults] == [[0, 0], [0, 0]], (
        "lost, wrong while they wrote"
    )
    for i, promised in enumerate(done):
        found = store.get(numbered_key(i), logits=promised == 2)
        assert found is not None or not promised, f"{i} is lost"
        assert found is None or not is_wrong(found, i)
        if found:
            with safe_open(store.path(numbered_key(i)), framework="pt") as file:
                assert json.loads(file.metadata()["cell"])["recipe"] == {"of": i}
    left = [path for path in root.rglob(".*") if path.is_file()]
    assert any(numbered_key(KEYS) in path.name for path in left), (
        "the killed writer left its file"
    )
    assert store.get(numbered_key(KEYS)) is None
    store.put(numbered_key(KEYS), numbered_entry(KEYS, False), {"of": KEYS}, "test")
    assert not is_wrong(store.get(numbered_key(KEYS)), KEYS)


@pytest.mark.parametrize("number", [2, 116])  # ENOENT, ESTALE
def test_an_entry_that_another_node_replaced_is_a_miss(tmp_path, monkeypatch, number):
    store = Store(tmp_path)
    store.put("ab12", numbered_entry(3, True), {}, "test")

    def stale(*_, **__):
        raise OSError(number, "stale")

    monkeypatch.setattr(store_module, "safe_open", stale)
    assert store.get("ab12") is None


def test_an_entry_that_is_as_good_is_left_alone(tmp_path):
    store = Store(tmp_path)
    for before, after, replaced in (
        (0, 0, False),
        (0, 1, True),
        (1, 1, False),
        (1, 0, False),
    ):
        key = f"ab{before}{after}"
        store.put(key, numbered_entry(3, bool(before)), {}, "test")
        inode = store.path(key).stat().st_ino
        store.put(key, numbered_entry(3, bool(after)), {}, "test")
        assert (store.path(key).stat().st_ino != inode) == replaced


def test_logits_that_came_meanwhile_stay(tmp_path, monkeypatch):
    """Another process writes the entry right after this one did not find it."""
    store, get = Store(tmp_path), Store.get

    def then_written(self, key, logits=False):
        found = get(self, key, logits=logits)
        monkeypatch.setattr(Store, "get", get)
        store.put(key, numbered_entry(3, True), {}, "test")
        return found

    monkeypatch.setattr(Store, "get", then_written)
    store.put("ab12", numbered_entry(3, False), {}, "test")
    assert store.get("ab12", logits=True) is not None


def test_a_broken_entry_gives_way(tmp_path):
    store = Store(tmp_path)
    store.path("ab12").parent.mkdir()
    store.path("ab12").write_bytes(b"broken")
    store.put("ab12", numbered_entry(3, False), {}, "test")
    assert not is_wrong(store.get("ab12"), 3)


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_kept_where_there_are_links(
    tmp_path, monkeypatch, links
):
    def link(*_):
        raise PermissionError(1, "no hard links here")

    if not links:
        monkeypatch.setattr(os, "link", link)
    with files.atomic(tmp_path / "a", keep=True) as path:
        path.write_text("late")
        (tmp_path / "a").write_text("early")
    assert (tmp_path / "a").read_text() == ("early" if links else "late")
    assert len(list(tmp_path.iterdir())) == 1
