"""Write files that appear whole or not at all, and wait for those of other nodes."""

import errno
import logging
import os
import re
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from .errors import StockpotError

log = logging.getLogger(__name__)

# Seconds. Network file systems remember for about as long that a file was not there.
WAIT_LIMIT_S = 30.0
POLL_INTERVAL = 0.5  # seconds between two looks at a file that is waited for
# The umask can only be read by setting it. This happens once, while the process has one thread.
_UMASK = os.umask(0o077)
os.umask(_UMASK)
# Errors of file systems that cannot be asked to write a file to the disk.
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
# Errors of a disk that is full, that may not be written to, or that fails.
DISK_FAULTS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
    errno.ENODEV,
)
# Libraries that write files have their own words for such errors: safetensors gives the number of
# the error, NumPy and torch do not.
_ERROR_NUMBER = re.compile(r"(?:os error |Os \{ code: )(\d+)")
_INCOMPLETE_WRITE = re.compile(
    r"requested and \d+ written|iostream error|unexpected pos|PytorchStreamWriter|write failed"
)
_PROBE_BYTES = 1 << 16


@contextmanager
def atomic(
    path: str | Path,
    *,
    keep: bool = False,
) -> Iterator[Path]:
    """Write a file under a temporary name, and rename it when the block succeeds.

    The content is on the disk by then, so that a crash of the machine leaves no empty file. Any
    number of processes, on any nodes, may do so at once; the last one counts.

    Args:
        path: The file. Missing folders are made.
        keep: Whether a file of this name that exists by then stays. This needs hard links; on a
            file system without them the new file replaces it.

    Yields:
        The temporary path, in the same folder, to write to.

    Raises:
        StockpotError: If the file cannot be written, whichever library the block writes with. The
            error names the file and the reason.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        with writing(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            # safetensors makes files that nobody else may read, whatever the umask of the user is.
            os.chmod(temporary, 0o666 & ~_UMASK)
            _sync(temporary)
            if not (keep and _link(temporary, path)):
                os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(
    path: str | Path,
    temporary: str | Path | None = None,
) -> Iterator[None]:
    """Turn the errors of a block that writes a file into one line.

    An error that is about another file is left as it is.

    Args:
        path: The file.
        temporary: The name to which the block really writes, if it has another one.

    Raises:
        StockpotError: If the file cannot be written. The error names the file and the reason.
    """
    path = Path(path)
    temporary = Path(temporary or path)
    try:
        yield
    except StockpotError:
        raise
    except OSError as error:
        reason = _reason_of_system(error, path, temporary)
        if reason is None:
            raise
        raise unwritable(path, reason) from error
    except Exception as error:
        reason = _reason_of_library(str(error), temporary)
        if reason is None:
            raise
        raise unwritable(path, reason) from error


def unwritable(
    path: str | Path,
    reason: str,
) -> StockpotError:
    """Return the error for a file that cannot be written.

    Args:
        path: The file.
        reason: Why it cannot be written.

    Returns:
        The error, to be raised.
    """
    return StockpotError(f"{path}: cannot be written ({reason})")


def _reason_of_system(
    error: OSError,
    path: Path,
    temporary: Path,
) -> str | None:
    """Say why a file could not be written; None for an error that is about another file."""
    named_file = error.filename2 or error.filename
    if named_file is not None and not isinstance(named_file, int):
        possible_files = (path, temporary, *path.parents)
        is_about_this = Path(os.fsdecode(named_file)) in possible_files
        return error.strerror if is_about_this else None
    if error.errno is None:
        return _reason_of_library(str(error), temporary)
    return error.strerror if error.errno in DISK_FAULTS else None


def _reason_of_library(
    text: str,
    temporary: Path,
) -> str | None:
    """Say what the error of a library tells about the disk; None if it tells nothing."""
    number = _ERROR_NUMBER.search(text)
    if number:
        return os.strerror(int(number[1]))
    if not _INCOMPLETE_WRITE.search(text):
        return None
    # The library has dropped the reason. If we write, too, the disk gives it again.
    try:
        with open(temporary, "ab") as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror
    return "the disk took only a part of it"


def open_without_links(
    path: str | Path,
    flags: int,
    mode: int = 0o666,
) -> int:
    """Open a regular file for writing, and never follow a link.

    In a folder that others may write to, a link that somebody else made could lead to any file of
    this user.

    Args:
        path: The file.
        flags: As for ``os.open``.
        mode: Permissions of a new file, as for ``os.open``.

    Returns:
        A file descriptor.

    Raises:
        StockpotError: If there is something that is no regular file. The error names the path.
        OSError: As from ``os.open``.
    """
    hint = "in the way of a file that is written here; move it away"
    # O_NONBLOCK: opening a pipe must not wait for a reader.
    safe_flags = flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, safe_flags, mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise StockpotError(f"{path}: a link is {hint}") from error
        if error.errno == errno.ENXIO:
            raise StockpotError(f"{path}: a pipe is {hint}") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise StockpotError(f"{path}: something that is no file is {hint}")
    return descriptor


def _link(
    temporary: Path,
    path: Path,
) -> bool:
    """Give a file its final name unless it is taken; False if the file system has no hard links."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True


def _sync(path: Path) -> None:
    """Write the content of a file to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)


def wait_for(path: str | Path) -> None:
    """Return when a file is there, or after ``WAIT_LIMIT_S`` seconds.

    This is for files that a job on another node wrote and that Snakemake does not wait for.

    Args:
        path: The file.
    """
    path = Path(path)
    deadline = time.monotonic() + WAIT_LIMIT_S
    if not os.path.exists(path):
        log.info(
            "waiting for %s, which a job on another node may have written just now",
            path,
        )
    while not os.path.exists(path) and time.monotonic() < deadline:
        # A client that lists the folder asks the server again.
        with suppress(OSError):
            os.listdir(path.parent)
        time.sleep(min(POLL_INTERVAL, WAIT_LIMIT_S))
