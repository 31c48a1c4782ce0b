"""List the state of every training run and checkpoint below a results folder.

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

# Rules whose jobs write a classifier.
RULES = ("finetune", "finetune_with_averages", "adopt_checkpoint", "merge")
LOG_END = 1 << 20  # bytes; no line of our logs is that long
LOG_TIME = re.compile(r"^\d\d:\d\d:\d\d  ")  # the time at the start of a log line
# Unit of an age, and its length in seconds; longest first.
AGE_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def states(results: Path) -> list[dict[str, str]]:
    """List all jobs that have written a log, and all that are planned.

    Args:
        results: Folder of the results.

    Returns:
        A row per job, sorted by name: "name", "state", "message" (the last line of its log that
        tells something) and "age" (of its log; empty if there is none).
    """
    rows: dict[str, dict[str, str]] = {}
    for rule in RULES:
        for log_file in (results / "logs" / rule).glob("*.log"):
            rows[log_file.stem] = _state_from_log(results, log_file)
    for name in (planned(results) or set()) - rows.keys():
        # Its log was removed, or it has never begun.
        is_done = (results / "classifiers" / name / "classifier.json").exists()
        state = "done" if is_done else "not begun"
        rows[name] = {"name": name, "state": state, "message": "", "age": ""}
    return [rows[name] for name in sorted(rows)]


def planned(results: Path) -> set[str] | None:
    """List the runs, checkpoints and merges of the config that was given last.

    Args:
        results: Folder of the results.

    Returns:
        Their ids. None if no plan can be read, as before the first start.
    """
    try:
        plan = json.loads(_read(results / "plan.json"))["plan"]
        merges = [
            name for name, soup in plan["soups"].items() if soup["writes_weights"]
        ]
        return {*plan["runs"], *plan["checkpoints"], *merges}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _read(
    path: Path,
    last_bytes: int | None = None,
) -> str:
    """Read a file or its end; empty for anything else, such as a pipe, which would block."""
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return ""
        if last_bytes is not None:
            file.seek(max(0, status.st_size - last_bytes))
        return file.read().decode("utf-8", "replace")


def _state_from_log(
    results: Path,
    log_file: Path,
) -> dict[str, str]:
    """Tell the state of one job; what cannot be read is left out."""
    try:
        text = _read(log_file, LOG_END)
        age = _age(time.time() - log_file.stat().st_mtime)
    except OSError:
        text = ""
        age = ""
    lines = [line for line in text.splitlines() if line.strip()]
    last_line = lines[-1] if lines else ""
    folder = results / "classifiers" / log_file.stem
    card = folder / "classifier.json"
    lock_file = log_file.with_name(f".{log_file.name}.lock")

    # A lock is held only while a job runs, so it tells more than any file that is there.
    if _is_locked(lock_file):
        state = "running"
    elif card.exists():
        state = _state_from_card(card)
        last_line = _last_epoch(lines) or last_line
    elif last_line.startswith("error:"):
        state = "failed"
    elif any(folder.glob(".state/*/state.pt")):
        state = "stopped, goes on from its state"
    else:
        state = "stopped"
    message = LOG_TIME.sub("", last_line)
    return {"name": log_file.stem, "state": state, "message": message, "age": age}


def _last_epoch(lines: list[str]) -> str:
    """Return the last log line about an epoch, which says more than the "done" after it."""
    for line in reversed(lines):
        if "epoch" in line:
            return line
    return ""


def _state_from_card(card: Path) -> str:
    """Tell how a run ended that has written its card."""
    try:
        status = json.loads(_read(card))["status"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "damaged card"
    return "done" if status == "ok" else "diverged"


def _is_locked(lock_file: Path) -> bool:
    """Tell whether a process holds the lock of its job; False where file systems cannot tell."""
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)  # this also releases the lock, if it was free
    return False


def _age(seconds: float) -> str:
    """Write an age in the largest unit of which it has at least two."""
    # A clock that was set back, or that of another machine, may give a negative age.
    seconds = max(seconds, 0)
    for unit, length in AGE_UNITS:
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def main(
    results: Path,
    *,
    all_studies: bool = False,
) -> None:
    """Print the states of the study that was given last.

    Args:
        results: Folder of the results.
        all_studies: Whether to print those of all other studies, too.
    """
    rows = states(results)
    if not rows:
        print(f"{results}: no run has begun here")
    planned_names = planned(results)
    current_rows = []
    other_rows = []
    for row in rows:
        # Without a plan all rows count as those of the present study.
        if planned_names is None or row["name"] in planned_names:
            current_rows.append(row)
        else:
            other_rows.append(row)
    _print_counts(current_rows)
    name_width = _width(rows, "name")
    state_width = _width(rows, "state")
    for row in current_rows:
        _print_row(row, name_width, state_width)
    if other_rows and all_studies:
        print("\nof other studies:")
        for row in other_rows:
            _print_row(row, name_width, state_width)
    elif other_rows:
        print(f"\nand {len(other_rows)} of other studies: make status ARGS=--all")


def _print_counts(rows: list[dict[str, str]]) -> None:
    """Print how many jobs are in each state."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + 1
    for state, count in counts.items():
        print(f"{count} {state}")


def _width(
    rows: list[dict[str, str]],
    column: str,
) -> int:
    return max((len(row[column]) for row in rows), default=0)


def _print_row(
    row: dict[str, str],
    name_width: int,
    state_width: int,
) -> None:
    name = row["name"].ljust(name_width)
    state = row["state"].ljust(state_width)
    line = f"{name}  {state}  {row['age']:>10}  {row['message']}"
    print(one_line(line.rstrip()))
