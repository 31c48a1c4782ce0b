"""Snakemake as a process that tests start, watch and kill."""

import signal
import subprocess
import sys
import time

import psutil

from tests.support.workflow import Workflow


def start(study: Workflow, *arguments: str) -> subprocess.Popen:
    """Snakemake in a session of its own, so that it can be killed with its jobs or alone."""
    assert study.python == sys.executable, "a warm one is not killed with its jobs"
    return subprocess.Popen(
        study.command(*arguments),
        cwd=study.folder,
        env=study.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # What runs in the background may have been told to ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def jobs(snakemake: subprocess.Popen) -> list[psutil.Process]:
    """The scripts that Snakemake is running now."""
    children = psutil.Process(snakemake.pid).children(recursive=True)
    return [
        c
        for c in children
        if any(".snakemake/scripts/" in word for word in c.cmdline())
    ]


def wait_for(found, seconds: float = 900):
    """What ``found()`` gives as soon as it gives something.

    The limit only ends a test that waits in vain: a new Snakemake and its first job start an
    interpreter four times, each of which may take half a minute on a busy machine.
    """
    end = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
    return result
