"""What every script does around its one call: log, lock, one-line errors."""

import fcntl
import logging
import os
import sys
import traceback
from contextlib import contextmanager
from pathlib import Path

from .digest import plain, sha256
from .errors import StockpotError, Stopped
from .gpus import VISIBLE
from .runtime.escape import one_line

log = logging.getLogger("stockpot")


class Turn:
    """A lock on the file beside the log: one process at a time is at a job, on whatever node.

    When Snakemake is killed alone, its jobs live on; the next Snakemake starts them again, and
    these wait here. The file says which job was done last: one that waited for the same job need
    not do it again.
    """

    def __init__(self, log_file: Path):
        self.waited, self.problem = False, ""
        # The kernel frees it when the process ends, in any way, and those that inherit it.
        self.file = open(log_file.with_name(f".{log_file.name}.lock"), "a+", encoding="utf-8")  # noqa: SIM115
        os.set_inheritable(self.file.fileno(), True)
        try:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.waited = True
                log.info("waiting for a process that is still at this job")
                fcntl.flock(self.file, fcntl.LOCK_EX)
        except OSError as error:
            self.problem = f"no lock on this file system ({error.strerror})"

    def was_for(self, asked: str) -> bool:
        """Has the process that was waited for done this very job?"""
        self.file.seek(0)
        return self.waited and self.file.read() == asked

    def note(self, done: str) -> None:
        """Write which job is done; none while one is at work."""
        self.file.truncate(0)
        self.file.write(done)
        self.file.flush()


def _asked(snakemake) -> str:
    """What tells this job from another one with the same name: its parameters and its inputs."""
    files = [(str(path), os.stat(path)) for path in snakemake.input]
    inputs = [[path, stat.st_size, stat.st_mtime_ns] for path, stat in files]
    return sha256([plain(dict(snakemake.params.items())), inputs])


@contextmanager
def job(snakemake):
    """Send all output of the process to the rule's log; end a user's error with one line.

    The redirection is at the level of file descriptors, so text from compiled code arrives
    too. Any other exception leaves its traceback in the log.
    """
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Appending, as a process that a killed Snakemake left may still write to the same file.
    with open(path, "a", buffering=1, encoding="utf-8", errors="backslashreplace") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    talk()
    turn, asked = Turn(path), _asked(snakemake)
    if turn.was_for(asked) and all(map(os.path.exists, snakemake.output)):
        log.info("that process has done this job")
        os._exit(0)
    turn.note("")
    os.truncate(path, 0)
    if turn.problem:
        log.info("%s; let one Snakemake run at a time", turn.problem)
    if snakemake.resources.get("gpu") == 0:
        os.environ[VISIBLE] = ""  # it asked for none, so others may have them all
    with ending():
        yield snakemake.params.spec
    turn.note(asked)
    log.info("done")


def talk(loud: bool = True) -> None:
    """To the log go lines of our own code, of all levels or of warnings alone, and warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines("%(asctime)s  %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger("stockpot").setLevel(logging.INFO if loud else logging.WARNING)
    logging.getLogger("root").setLevel(logging.ERROR)


class Lines(logging.Formatter):
    """A line per message, whatever names and files it quotes: no control characters reach a log.

    A traceback of a fault of our own keeps its lines.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei) -> str:
        return printable(super().formatException(ei))


def printable(text: str) -> str:
    """Text of several lines without control characters."""
    return "\n".join(one_line(line, 10_000) for line in text.splitlines())


@contextmanager
def ending():
    """End the process at once where the block does not go through, with one line if it is known
    what it lacks, else with its traceback."""
    try:
        yield
    except StockpotError as error:
        _end(1, "\n".join(f"error: {line}" for line in str(error).splitlines()))
    except Stopped as stopped:
        _end(143, f"stopped {stopped}; the state is saved, and the same command goes on from it")
    except KeyboardInterrupt:
        _end(130, "interrupted; the same command goes on from here")
    except Exception:
        _end(1, printable(traceback.format_exc()))


def _end(code: int, line: str) -> None:
    print(line, file=sys.stderr, flush=True)
    os._exit(code)
