"""A test that is not marked starts no process in a run of the quick tests."""

import multiprocessing
import os
import subprocess
import sys

import pytest

from tests.conftest import STARTS, refusing

WAYS = {
    "run": lambda: subprocess.run([sys.executable, "-c", ""]),
    "output": lambda: subprocess.check_output("true", shell=True),
    "system": lambda: os.system("true"),
    "fork": lambda: os.fork() or os._exit(0),
    "spawn": lambda: os.posix_spawn(sys.executable, [sys.executable], {}),
    "forked": multiprocessing.get_context("fork").Process(target=print).start,
    "spawned": multiprocessing.get_context("spawn").Process(target=print).start,
}


@pytest.mark.parametrize("way", WAYS)
def test_an_unmarked_test_that_starts_a_process_fails(way, monkeypatch):
    for place, name in STARTS:
        monkeypatch.setattr(place, name, refusing(getattr(place, name)))
    with pytest.raises(pytest.fail.Exception, match="@pytest.mark.process"):
        WAYS[way]()
