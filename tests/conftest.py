"""What takes long begins first; a test that is marked as quick starts no process."""

import functools
import multiprocessing.util
import os
import subprocess
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONG = ("cluster", "workflow")
# Where every way to start a process ends; what builds on them looks them up here.
STARTS = (
    (os, "fork"),
    (os, "forkpty"),
    (os, "posix_spawn"),
    (os, "posix_spawnp"),
    (os, "system"),
    (subprocess.Popen, "_execute_child"),
    (multiprocessing.util, "spawnv_passfds"),
)


def folder_of(item) -> str:
    """The folder of tests/ that a test belongs to."""
    return item.path.relative_to(TESTS).parts[0]


def pytest_configure(config):
    """In a run of tests that start no process, one that does fails, unless it is marked."""
    if "not process" in config.option.markexpr:
        for place, name in STARTS:
            setattr(place, name, refusing(getattr(place, name)))


def refusing(start):
    """``start``, which fails within a test without the marker ``process``."""

    @functools.wraps(start)
    def refuse(*arguments, **options):
        if RUNNING:
            pytest.fail(
                f"{RUNNING[-1]} starts a process ({start.__qualname__}):"
                " mark it with @pytest.mark.process"
            )
        return start(*arguments, **options)

    return refuse


RUNNING: list[str] = []  # the test without the marker that is running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    if item.get_closest_marker("process") is None:
        RUNNING.append(item.nodeid)
    try:
        return (yield)
    finally:
        RUNNING.clear()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Deal whole studies to the workers: each begins with its part of the list.

    Those on the cluster go to the first, which mostly waits. Who has nothing left to do takes
    tests from the ends of the others' parts.
    """
    for item in items:
        if folder_of(item) in LONG:
            item.add_marker("process")
            item.add_marker("slow")
    workers = getattr(config, "workerinput", {}).get("workercount", 1)
    folder = {item: folder_of(item) for item in items}
    files = sorted({item.path for item in items if folder[item] == "workflow"})
    worker = {path: 1 + i % max(workers - 1, 1) for i, path in enumerate(files)}
    parts = [[item for item in items if folder[item] == "cluster"]]
    parts += [
        [i for i in items if worker.get(i.path) == n] for n in range(1, max(workers, 2))
    ]
    short = [item for item in items if folder[item] not in LONG]
    size = len(items) // workers
    for part in parts:
        missing = max(size - len(part), 0)
        part += short[:missing]
        short = short[missing:]
    items[:] = [item for part in [*parts, short] for item in part]
