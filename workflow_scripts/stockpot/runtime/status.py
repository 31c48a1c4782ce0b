"""The state of every training run and checkpoint below a results folder, a line each.

The command is ``stockpot status``.
"""

import fcntl
import json
import os
import re
import stat
import time
from pathlib import Path

from .escape import one_line

RULES = ("finetune", "finetune_with_averages", "adopt_checkpoint", "merge")
LOG_END = 1 << 20  # bytes; no line of ours is that long
SAID = re.compile(r"^\d\d:\d\d:\d\d  ")  # the time of a line of the log


def states(results: Path) -> list[dict[str, str]]:
    """name, state, what it last said and when, of every job that has written a log, and of all
    that is planned."""
    logs = [log for rule in RULES for log in (results / "logs" / rule).glob("*.log")]
    found = {log.stem: _state(results, log) for log in logs}
    for name in (planned(results) or set()) - found.keys():
        done = (results / "classifiers" / name / "classifier.json").exists()
        state = "done" if done else "not begun"
        found[name] = {"name": name, "state": state, "said": "", "ago": ""}
    return [found[name] for name in sorted(found)]


def planned(results: Path) -> set[str] | None:
    """Runs, checkpoints and merges of the config that was given last.

    None where no plan can be read, as before anything was started.
    """
    try:
        plan = json.loads(_read(results / "plan.json"))["plan"]
        merges = [
            name for name, soup in plan["soups"].items() if soup["writes_weights"]
        ]
        return {*plan["runs"], *plan["checkpoints"], *merges}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read(path: Path, last: int | None = None) -> str:
    """The text of a file, or the end of it; "" of anything else, as a pipe, which would wait."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        if last is not None:
            file.seek(max(0, os.fstat(descriptor).st_size - last))
        return file.read().decode("utf-8", "replace")


def _state(results: Path, log: Path) -> dict[str, str]:
    """Of one run; what cannot be read is left out, and the run is told all the same."""
    try:
        text, seconds = _read(log, LOG_END), time.time() - log.stat().st_mtime
    except OSError:
        text, seconds = "", None
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1] if lines else ""
    folder = results / "classifiers" / log.stem
    card = folder / "classifier.json"
    if _held(log.with_name(f".{log.name}.lock")):
        state = "running"
    elif card.exists():
        state = _status(card)
        last = next((line for line in reversed(lines) if "epoch" in line), last)
    elif last.startswith("error:"):
        state = "failed"
    elif any(folder.glob(".state/*/state.pt")):
        state = "stopped, goes on from its state"
    else:
        state = "stopped"
    ago = "" if seconds is None else _ago(seconds)
    return {"name": log.stem, "state": state, "said": SAID.sub("", last), "ago": ago}


def _status(card: Path) -> str:
    try:
        status = json.loads(_read(card))["status"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "damaged card"
    return "done" if status == "ok" else "diverged"


def _held(lock: Path) -> bool:
    """Does a process hold the lock of its job? Where file systems cannot tell, nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _ago(seconds: float) -> str:
    seconds = max(seconds, 0)  # a clock that was set back, or another machine's
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def main(results: Path, every: bool = False) -> None:
    """Print the states of the study that was given last; with ``every``, of all others too."""
    found = states(results)
    if not found:
        print(f"{results}: no run has begun here")
    asked = planned(results)
    now = [row for row in found if asked is None or row["name"] in asked]
    for state in dict.fromkeys(row["state"] for row in now):
        print(f"{sum(row['state'] == state for row in now)} {state}")
    widths = {
        key: max((len(row[key]) for row in found), default=0)
        for key in ("name", "state")
    }
    for row in now:
        _print(row, widths)
    others = [row for row in found if row not in now]
    if others and every:
        print("\nof other studies:")
        for row in others:
            _print(row, widths)
    elif others:
        print(f"\nand {len(others)} of other studies: make status ARGS=--all")


def _print(row: dict[str, str], widths: dict[str, int]) -> None:
    name, state = row["name"].ljust(widths["name"]), row["state"].ljust(widths["state"])
    print(one_line(f"{name}  {state}  {row['ago']:>10}  {row['said']}".rstrip()))
