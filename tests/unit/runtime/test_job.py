"""Tests jobs: their logs, and the last word of one that fails."""

import os
import subprocess
import sys

import pytest

from tests.support.paths import SCRIPTS

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
