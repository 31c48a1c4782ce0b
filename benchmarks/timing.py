"""Timing of alternatives in one process, and of commands with their memory."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# A benchmark runs as a script, for which Python looks in benchmarks/ only. It copies the files that
# the tests copy.
sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.project_files import PROJECT, ROOT  # noqa: F401


def interleaved(functions: dict, repeats: int = 3) -> dict[str, float]:
    """Best seconds of each function; they take turns, so that a slow moment hits all."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(repeats):
        for name, function in functions.items():
            started = time.perf_counter()
            function()
            best[name] = min(best[name], time.perf_counter() - started)
    return best


@dataclass
class Command:
    seconds: float
    peak_gib: float


def run(arguments: list[str], cwd: Path) -> Command:
    """Run a command; its peak memory is the sum of the proportional set sizes of its processes."""
    started = time.perf_counter()
    process = subprocess.Popen(
        arguments, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, peak, done))
    watcher.start()
    output, _ = process.communicate()
    done.set()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{output[-3000:]}")
    return Command(time.perf_counter() - started, peak[0] / 2**30)


def _watch(pid: int, peak: list[int], done: threading.Event) -> None:
    while not done.wait(0.3):
        try:
            parent = psutil.Process(pid)
            family = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        total = 0
        for process in family:
            try:
                total += process.memory_full_info().pss
            except psutil.Error:
                continue
        peak[0] = max(peak[0], total)


def cores() -> int:
    return len(os.sched_getaffinity(0))
