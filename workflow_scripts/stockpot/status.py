"""The state of every training run and checkpoint below a results folder, a line each.

python workflow_scripts/stockpot/status.py [results]
"""

import fcntl
import json
import os
import re
import sys
import time
from pathlib import Path

RULES = ("finetune", "finetune_with_averages", "adopt_checkpoint", "merge")
SAID = re.compile(r"^\d\d:\d\d:\d\d  ")  # the time of a line of the log


def states(results: Path) -> list[dict[str, str]]:
    """name, state, what it last said and when, of every job that has written a log."""
    logs = [log for rule in RULES for log in (results / "logs" / rule).glob("*.log")]
    return [_state(results, log) for log in sorted(logs, key=lambda log: log.stem)]


def _state(results: Path, log: Path) -> dict[str, str]:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    last, seconds = lines[-1] if lines else "", time.time() - log.stat().st_mtime
    folder = results / "classifiers" / log.stem
    card = folder / "classifier.json"
    if _held(log.with_name(f".{log.name}.lock")):
        state = "running"
    elif card.exists():
        status = json.loads(card.read_text())["status"]
        state = "done" if status == "ok" else "diverged"
        last = next((line for line in reversed(lines) if "epoch" in line), last)
    elif last.startswith("error:"):
        state = "failed"
    elif any(folder.glob(".state/*/state.pt")):
        state = "stopped, goes on from its state"
    else:
        state = "stopped"
    return {"name": log.stem, "state": state, "said": SAID.sub("", last), "ago": _ago(seconds)}


def _held(lock: Path) -> bool:
    """Does a process hold the lock of its job? Where file systems cannot tell, nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
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
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def main(results: Path) -> None:
    found = states(results)
    if not found:
        print(f"{results}: no run has begun here")
    for state in dict.fromkeys(row["state"] for row in found):
        print(f"{sum(row['state'] == state for row in found)} {state}")
    widths = {key: max((len(row[key]) for row in found), default=0) for key in ("name", "state")}
    for row in found:
        name, state = row["name"].ljust(widths["name"]), row["state"].ljust(widths["state"])
        print(f"{name}  {state}  {row['ago']:>6} ago  {row['said']}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "results"))
