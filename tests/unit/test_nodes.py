"""What another node wrote is seen late, and may lie where there are no locks."""

import errno
import os
import subprocess
import sys
import threading
import time

import pytest
import torch

from stockpot.evaluation.predictions import predictions
from stockpot.evaluation.store import Store
from stockpot.evaluation.stored_predictions import answers
from stockpot.runtime import atomic_files as files
from stockpot.runtime.errors import StockpotError
from stockpot.tables.evidence import Evidence

SCRIPTS = os.path.join(os.path.dirname(files.__file__), "..")


@pytest.fixture
def answer():
    return predictions(torch.eye(4), torch.arange(4), keep_logits=True)


def later(seconds: float, what) -> threading.Timer:
    timer = threading.Timer(seconds, what)
    timer.start()
    return timer


def test_an_entry_that_is_seen_late_is_waited_for(tmp_path, answer, caplog):
    caplog.set_level("INFO")
    later(0.7, lambda: Store(tmp_path).put("ab12", answer, {}, "test"))
    assert answers(tmp_path, "ab12").correct.all()
    assert "waiting for" in caplog.text
    assert "another node" in caplog.text


def test_what_is_there_is_not_waited_for(tmp_path, answer, caplog):
    caplog.set_level("INFO")
    Store(tmp_path).put("ab12", answer, {}, "test")
    assert answers(tmp_path, "ab12").correct.all()
    assert caplog.text == ""


def test_an_entry_that_never_comes_ends_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "WAIT_LIMIT_S", 0.6)
    started = time.monotonic()
    with pytest.raises(
        StockpotError, match="ab12.*is gone or broken.*rm -f.*the same command"
    ) as found:
        _ = answers(tmp_path, "ab12").correct
    assert 0.5 < time.monotonic() - started < 3
    assert "\n" not in str(found.value)


def test_a_broken_entry_is_not_waited_for(tmp_path):
    Store(tmp_path).path("ab12").parent.mkdir()
    Store(tmp_path).path("ab12").write_bytes(b"broken")
    started = time.monotonic()
    with pytest.raises(StockpotError, match="gone or broken"):
        _ = answers(tmp_path, "ab12").correct
    assert time.monotonic() - started < 1


def test_labels_that_are_seen_late_are_waited_for(tmp_path):
    import numpy as np
    import pandas as pd

    path = tmp_path / "labels.npy"
    evidence = Evidence(pd.DataFrame(), [{"cells": []}], tmp_path, {"test": path}, {})
    later(0.7, lambda: np.save(path, np.arange(3)))
    assert evidence.labels("test").tolist() == [0, 1, 2]


JOB = """
import errno, fcntl, sys, types
sys.path.insert(0, {scripts!r})

def flock(file, how):
    if how & fcntl.LOCK_NB and {busy}:
        raise BlockingIOError(errno.EAGAIN, "busy")
    raise OSError({number}, "no locks there")

fcntl.flock = flock
from stockpot.runtime.job import job

class Params(dict):
    spec = 1

snakemake = types.SimpleNamespace(
    log=[{log!r}], input=[], output=[], params=Params(), resources={{}}
)
with job(snakemake) as spec:
    print("worked on", spec)
"""


@pytest.mark.process
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("name", ["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def test_a_job_runs_where_there_are_no_locks_and_says_so(tmp_path, name, busy):
    """Also where only waiting for one fails, as on a file system whose lock server went away."""
    log = tmp_path / "job.log"
    log.write_text("of an earlier attempt\n")
    code = JOB.format(
        scripts=SCRIPTS, number=getattr(errno, name), log=str(log), busy=busy
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    text = log.read_text()
    assert "no lock on this file system (no locks there)" in text
    assert "worked on 1" in text
    assert "earlier" not in text
