"""What every script does around its one call: log, lock, one-line errors."""

import fcntl
import logging
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from .errors import StockpotError, Stopped


def _alone(path: Path):
    """Wait until no other process is at this job, and hold the file that says so.

    When Snakemake is killed alone, its jobs live on; the next Snakemake starts them again.
    """
    lock = open(path, "w")  # noqa: SIM115  the kernel frees it when the process ends, in any way
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logging.getLogger("stockpot").info("waiting for a process that is still at this job")
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        logging.getLogger("stockpot").info("no lock on this file system (%s)", error.strerror)
    return lock


@contextmanager
def job(snakemake):
    """Send all output of the process to the rule's log; end a user's error with one line.

    The redirection is at the level of file descriptors, so text from compiled code arrives
    too. Any other exception leaves its traceback in the log.
    """
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Appending, as a process that a killed Snakemake left may still write to the same file.
    with open(path, "a", buffering=1) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    talk()
    lock = _alone(path.with_name(f".{path.name}.lock"))  # noqa: F841  held until the process ends
    os.truncate(path, 0)
    with ending():
        yield snakemake.params.spec
    logging.getLogger("stockpot").info("done")


def talk(loud: bool = True) -> None:
    """Lines of our own code, of all levels or of warnings alone, to the log."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s  %(message)s",
        datefmt="%H:%M:%S",
    )
    logging.getLogger("stockpot").setLevel(logging.INFO if loud else logging.WARNING)
    logging.getLogger("root").setLevel(logging.ERROR)


@contextmanager
def ending():
    """End the process at once where the block does not go through, with one line if it is known
    what it lacks, else with its traceback."""
    try:
        yield
    except StockpotError as error:
        _end(1, f"error: {error}")
    except Stopped as stopped:
        _end(143, f"stopped {stopped}; the state is saved, and the same command goes on from it")
    except KeyboardInterrupt:
        _end(130, "interrupted; the same command goes on from here")
    except Exception:
        _end(1, traceback.format_exc())


def _end(code: int, line: str) -> None:
    print(line, file=sys.stderr, flush=True)
    os._exit(code)
