"""Run the one call of every script as a job: with a log, a lock, and errors of one line."""

import fcntl
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from .atomic_files import DISK_FAULTS, open_without_links, unwritable, writing
from .code_records import write_record
from .digest import plain, sha256
from .errors import StockpotError, StoppedError
from .escape import one_line
from .gpus import VISIBLE_DEVICES

log = logging.getLogger("stockpot")

# Content of a lock file while its job runs; no fingerprint of a job looks like this.
AT_WORK = "-"
# Exit statuses, as shells give them: 128 and the number of the signal for SIGTERM and SIGINT.
FAILED_STATUS = 1
STOPPED_STATUS = 143
INTERRUPTED_STATUS = 130
LONGEST_TRACEBACK_LINE = 10_000  # characters
# Descriptor that leads to the standard error of before the redirection to the log.
_TERMINAL = 2


class _JobLock:
    """A lock on a file beside the log: one process at a time runs a job, on whatever node.

    If Snakemake is killed without its jobs, these live on. The next Snakemake starts them again,
    and the new processes wait here. The file holds the fingerprint of the job that was done last,
    so that a process which waited for the same job need not do it again.

    Attributes:
        path: The lock file.
        waited: Whether another process held the lock.
        problem: Why there is no lock; empty if there is one.
        file: The open lock file. The kernel releases the lock when all processes have ended that
            inherited it, in any way.
    """

    def __init__(self, log_file: Path):
        self.waited = False
        self.problem = ""
        self.path = log_file.with_name(f".{log_file.name}.lock")
        with writing(self.path):
            descriptor = open_without_links(
                self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND
            )
        self.file = os.fdopen(descriptor, "a+", encoding="utf-8")
        inheritable = True
        os.set_inheritable(self.file.fileno(), inheritable)
        try:
            self._acquire()
        except OSError as error:
            self.problem = f"no lock on this file system ({error.strerror})"

    def _acquire(self) -> None:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.waited = True
            log.info("waiting for a process that is still at this job")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def finished_same_job(self, fingerprint: str) -> bool:
        """Tell whether the process that held the lock has done this very job.

        Args:
            fingerprint: That of the job of this process.

        Returns:
            False if no process held the lock.
        """
        self.file.seek(0)
        return self.waited and self.file.read() == fingerprint

    def write(self, content: str) -> None:
        """Write which job is done.

        Args:
            content: Fingerprint of the job, or ``AT_WORK`` while one runs.

        Raises:
            StockpotError: If the file cannot be written.
        """
        with writing(self.path):
            self.file.truncate(0)
            self.file.write(content)
            self.file.flush()


def _job_fingerprint(snakemake: Any) -> str:
    """Digest what tells a job from another one of the same name: its parameters and inputs."""
    inputs = []
    for path in snakemake.input:
        status = os.stat(path)
        inputs.append([str(path), status.st_size, status.st_mtime_ns])
    parameters = plain(dict(snakemake.params.items()))
    return sha256([parameters, inputs])


@contextmanager
def job(snakemake: Any) -> Iterator[Any]:
    """Send all output of the process to the rule's log, and end an error with one line.

    The redirection is at the level of file descriptors, so the output of compiled code arrives,
    too. An error that is no ``StockpotError`` leaves its traceback in the log.

    Args:
        snakemake: The object that Snakemake gives to scripts.

    Yields:
        The specification that the rule gives to its script.
    """
    with exit_on_error():
        log_file = Path(str(snakemake.log[0]))
        _redirect_output(log_file)
        configure_logging()
        lock = _JobLock(log_file)
        fingerprint = _job_fingerprint(snakemake)
        _exit_if_done(lock, fingerprint, snakemake.output)
        # On a full disk this fails before any work is done.
        lock.write(AT_WORK)
        os.ftruncate(sys.stderr.fileno(), 0)
        if lock.problem:
            log.info("%s; let one Snakemake run at a time", lock.problem)
        if snakemake.resources.get("gpu") == 0:
            # The job asked for no GPU, so others may have them all.
            os.environ[VISIBLE_DEVICES] = ""
        _release_terminal()
        yield snakemake.params.spec
        code = snakemake.params.get("code")
        if code:
            write_record(log_file, code)
        lock.write(fingerprint)
        log.info("done")


def _exit_if_done(
    lock: _JobLock,
    fingerprint: str,
    outputs: list[str],
) -> None:
    """End this process successfully if the one that it waited for has done the job."""
    if lock.finished_same_job(fingerprint) and all(map(os.path.exists, outputs)):
        log.info("that process has done this job")
        # Without any cleanup: nothing has been begun, and the lock must not be written.
        os._exit(0)


def _redirect_output(log_file: Path) -> None:
    """Send standard output and error to the log.

    The terminal is kept for a moment, for a last message if the log cannot be written.
    """
    global _TERMINAL
    with writing(log_file):
        log_file.parent.mkdir(parents=True, exist_ok=True)
        # Appending, because a process that a killed Snakemake left may still write to this file.
        descriptor = open_without_links(
            log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )
    _TERMINAL = os.dup(2)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def _release_terminal() -> None:
    """Close the terminal, so that its reader need not wait for this process if that lives on."""
    global _TERMINAL
    os.close(_TERMINAL)
    _TERMINAL = 2


def configure_logging(*, verbose: bool = True) -> None:
    """Log lines of our own code, and errors of libraries, to standard error.

    Args:
        verbose: Whether lines of all levels are logged, or only warnings and errors.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logging.basicConfig(handlers=[handler])
    # Warnings of Python become records of the logger "py.warnings", which follows the root logger.
    logging.captureWarnings(capture=True)
    # A log that cannot be written is no reason for tracebacks.
    logging.raiseExceptions = False
    own_level = logging.INFO if verbose else logging.WARNING
    logging.getLogger("stockpot").setLevel(own_level)
    # A log is for our own lines. Libraries such as open_clip warn of much that is no fault, so
    # only their errors are logged, and no warnings of Python.
    root_logger = logging.getLogger()
    root_logger.setLevel(logging.ERROR)


class LogFormatter(logging.Formatter):
    """Formats a line per message without control characters, whatever the message quotes.

    The traceback of a fault of our own keeps its lines.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format a record as one line.

        Args:
            record: The record, whose ``message`` is replaced.

        Returns:
            The line.
        """
        record.message = one_line(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Format a traceback without control characters.

        Args:
            ei: Type, exception and traceback.

        Returns:
            Several lines.
        """
        return printable(super().formatException(ei))


def printable(text: str) -> str:
    """Replace the control characters in a text of several lines.

    Args:
        text: The text.

    Returns:
        The same number of lines, each of at most ``LONGEST_TRACEBACK_LINE`` characters.
    """
    lines = [one_line(line, LONGEST_TRACEBACK_LINE) for line in text.splitlines()]
    return "\n".join(lines)


@contextmanager
def exit_on_error() -> Iterator[None]:
    """End the process at once if the block raises.

    The last message is one line if it is known what went wrong, else the traceback.
    """
    try:
        yield
    except StockpotError as error:
        lines = [f"error: {line}" for line in str(error).splitlines()]
        _end_process(FAILED_STATUS, "\n".join(lines))
    except StoppedError as stopped:
        _end_process(
            STOPPED_STATUS,
            f"stopped {stopped}; the state is saved, and the same command goes on from it",
        )
    except KeyboardInterrupt:
        _end_process(
            INTERRUPTED_STATUS, "interrupted; the same command goes on from here"
        )
    except OSError as error:
        if error.errno not in DISK_FAULTS:
            _end_process(FAILED_STATUS, printable(traceback.format_exc()))
        path = error.filename2 or error.filename or "a file of this job"
        _end_process(FAILED_STATUS, f"error: {unwritable(path, error.strerror)}")
    except MemoryError as error:
        reason = f" ({one_line(error, 200)})" if str(error) else ""
        _end_process(
            FAILED_STATUS,
            f"error: no memory left{reason}; give the job more, by mem_mb or a larger machine",
        )
    except Exception:
        _end_process(FAILED_STATUS, printable(traceback.format_exc()))


def _end_process(
    status: int,
    message: str,
) -> NoReturn:
    """Write a last message and exit.

    On a full disk the message takes the place of the whole log, whose blocks are free then. If even
    that fails, it goes to the terminal, as long as this process still has it.
    """
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        last_line = f"{message}\n".encode(errors="backslashreplace")
        try:
            os.ftruncate(2, 0)
            os.write(2, last_line)
        except OSError:
            with suppress(OSError):
                os.write(_TERMINAL, last_line)
    # Threads of libraries must not delay the end, nor handlers write to a full disk.
    os._exit(status)
