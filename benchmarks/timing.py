"""Timing of alternatives in one process, and of commands with their memory."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

# A benchmark runs as a script, for which Python looks in benchmarks/ only. It copies the files that
# the tests copy.
sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.paths import PROJECT, ROOT  # noqa: F401


def interleaved(
    functions: dict[str, Callable[[], object]],
    repeats: int = 3,
) -> dict[str, float]:
    """Time functions that take turns, so that a slow moment hits all.

    Args:
        functions: Name -> function.
        repeats: Number of turns.

    Returns:
        Name -> least seconds of a call.
    """
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(repeats):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


@dataclass
class Command:
    """What a command took.

    Attributes:
        seconds: Of wall clock.
        peak_gib: Largest memory of all its processes together, in GiB.
    """

    seconds: float
    peak_gib: float


def run(arguments: list[str], cwd: Path) -> Command:
    """Run a command and watch its memory.

    Args:
        arguments: The command.
        cwd: Folder to run it in.

    Returns:
        Seconds, and the largest sum of the proportional set sizes of its processes.

    Raises:
        SystemExit: If it fails, with the end of its output.
    """
    started = time.perf_counter()
    process = subprocess.Popen(
        arguments,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # A list, as a thread can write into it.
    peak = [0]
    finished = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, finished))
    watcher.start()
    output, _ = process.communicate()
    finished.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{output[-3000:]}")
    return Command(time.perf_counter() - started, peak[0] / 2**30)


def _watch(pid: int, peak: list[int], finished: threading.Event) -> None:
    """Raise the only element of ``peak`` to the largest bytes of a process and its children."""
    while not finished.wait(0.3):
        try:
            parent = psutil.Process(pid)
            processes = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        total = 0
        for process in processes:
            # Children come and go; one that has gone has no memory.
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total)


def cores() -> int:
    """Count the cores that this process may use.

    Returns:
        Their number, which may be smaller than that of the machine.
    """
    return len(os.sched_getaffinity(0))
