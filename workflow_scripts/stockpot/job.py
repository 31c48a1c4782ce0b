"""What every script does around its one call: log, lock, one-line errors."""

import fcntl
import logging
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from .digest import plain, sha256
from .errors import StockpotError, Stopped

log = logging.getLogger("stockpot")


def _alone(path: Path) -> tuple[TextIO, bool]:
    """The file that says a process is at this job, held, and whether another one had it before.

    When Snakemake is killed alone, its jobs live on; the next Snakemake starts them again, and
    these wait here.
    """
    lock = open(path, "a+")  # noqa: SIM115  the kernel frees it when the process ends, in any way
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("waiting for a process that is still at this job")
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock, True
    except OSError as error:
        log.info("no lock on this file system (%s)", error.strerror)
    return lock, False


def _asked(snakemake) -> str:
    """What tells this job from another one with the same name: its parameters and its inputs."""
    files = [(str(path), os.stat(path)) for path in snakemake.input]
    inputs = [[path, stat.st_size, stat.st_mtime_ns] for path, stat in files]
    return sha256([plain(dict(snakemake.params.items())), inputs])


def _note(lock: TextIO, done: str) -> None:
    """Write to the lock which job is done; none while one is at work."""
    lock.seek(0)
    lock.truncate()
    lock.write(done)
    lock.flush()


@contextmanager
def job(snakemake):
    """Send all output of the process to the rule's log; end a user's error with one line.

    The redirection is at the level of file descriptors, so text from compiled code arrives
    too. Any other exception leaves its traceback in the log.
    """
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Appending, as a process that a killed Snakemake left may still write to the same file.
    with open(path, "a", buffering=1) as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    talk()
    lock, waited = _alone(path.with_name(f".{path.name}.lock"))
    lock.seek(0)
    asked = _asked(snakemake)
    if waited and lock.read() == asked and all(map(os.path.exists, snakemake.output)):
        log.info("that process has done this job")
        os._exit(0)
    _note(lock, "")
    os.truncate(path, 0)
    with ending():
        yield snakemake.params.spec
    _note(lock, asked)
    log.info("done")


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
