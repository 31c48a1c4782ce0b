"""What every script does around its one call: log, lock, one-line errors."""

import fcntl
import logging
import os
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path

from .atomic_files import DISK_FAULTS, open_own, unwritable, writing
from .digest import plain, sha256
from .errors import StockpotError, Stopped
from .escape import one_line
from .gpus import VISIBLE
from .made_by import write_record

log = logging.getLogger("stockpot")

AT_WORK = "-"  # no job is called so
_TERMINAL = 2  # descriptor of what standard error was before it went to the log


class Turn:
    """A lock on the file beside the log: one process at a time is at a job, on whatever node.

    When Snakemake is killed alone, its jobs live on; the next Snakemake starts them again, and
    these wait here. The file says which job was done last: one that waited for the same job need
    not do it again.
    """

    def __init__(self, log_file: Path):
        self.waited, self.problem = False, ""
        self.path = log_file.with_name(f".{log_file.name}.lock")
        # The kernel frees it when the process ends, in any way, and those that inherit it.
        with writing(self.path):
            descriptor = open_own(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self.file = os.fdopen(descriptor, "a+", encoding="utf-8")
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
        with writing(self.path):
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
    with ending():
        path = Path(str(snakemake.log[0]))
        _redirect(path)
        talk()
        turn, asked = Turn(path), _asked(snakemake)
        if turn.was_for(asked) and all(map(os.path.exists, snakemake.output)):
            log.info("that process has done this job")
            os._exit(0)
        turn.note(AT_WORK)  # which a disk that is full does not take
        os.ftruncate(sys.stderr.fileno(), 0)
        if turn.problem:
            log.info("%s; let one Snakemake run at a time", turn.problem)
        if snakemake.resources.get("gpu") == 0:
            os.environ[VISIBLE] = ""  # it asked for none, so others may have them all
        _let_go_of_the_terminal()
        yield snakemake.params.spec
        if code := snakemake.params.get("code"):
            write_record(path, code)
        turn.note(asked)
        log.info("done")


def _redirect(path: Path) -> None:
    """Let standard output and error end up in the log; the terminal is kept for a moment, for last
    words where the log cannot be written."""
    global _TERMINAL
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appending, as a process that a killed Snakemake left may still write to the same file.
        descriptor = open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _TERMINAL = os.dup(2)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _let_go_of_the_terminal() -> None:
    """Whoever reads it need not wait for this process, should it outlive the one that began it."""
    global _TERMINAL
    os.close(_TERMINAL)
    _TERMINAL = 2


def talk(loud: bool = True) -> None:
    """To the log go lines of our own code, of all levels or of warnings alone, and warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines("%(asctime)s  %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.captureWarnings(True)
    logging.raiseExceptions = (
        False  # a log that cannot be written is no reason for tracebacks
    )
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
        _end(
            143,
            f"stopped {stopped}; the state is saved, and the same command goes on from it",
        )
    except KeyboardInterrupt:
        _end(130, "interrupted; the same command goes on from here")
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            _end(1, printable(traceback.format_exc()))
        path = error.filename2 or error.filename or "a file of this job"
        _end(1, f"error: {unwritable(path, error.strerror)}")
    except MemoryError as error:
        what = f" ({one_line(error, 200)})" if str(error) else ""
        _end(
            1,
            f"error: no memory left{what}; give the job more, by mem_mb or a larger machine",
        )
    except Exception:
        _end(1, printable(traceback.format_exc()))


def _end(code: int, line: str) -> None:
    """Say the last word in the log; on a full disk in place of all that was in the log, or else on
    the terminal, where this process still has it."""
    try:
        print(line, file=sys.stderr, flush=True)
    except OSError:
        last = f"{line}\n".encode(errors="backslashreplace")
        try:
            os.ftruncate(2, 0)
            os.write(2, last)
        except OSError:
            with suppress(OSError):
                os.write(_TERMINAL, last)
    os._exit(code)
