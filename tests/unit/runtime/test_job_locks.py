"""Jobs on file systems that have no locks."""

import errno
import os
import subprocess
import sys

import pytest

from stockpot.runtime import atomic_files as files

SCRIPTS = os.path.join(os.path.dirname(files.__file__), "..")
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
