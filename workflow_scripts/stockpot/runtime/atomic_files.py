"""Files that appear whole or not at all, and that other nodes see some time after."""

import errno
import logging
import os
import re
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from .errors import StockpotError

log = logging.getLogger(__name__)

PATIENCE = (
    30.0  # seconds; network file systems remember for about as long what was not there
)
# The only way to ask for it is to set it; once, while this process has one thread.
_UMASK = os.umask(0o077)
os.umask(_UMASK)
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
# What a disk says that takes no more, or that fails.
DISK_FAULTS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.ESTALE,
    errno.ENODEV,
)
# Libraries that write by themselves say it in words of their own: safetensors with the number of
# the error, NumPy and torch without.
_NUMBER = re.compile(r"(?:os error |Os \{ code: )(\d+)")
_CUT_SHORT = re.compile(
    r"requested and \d+ written|iostream error|unexpected pos|PytorchStreamWriter|write failed"
)


@contextmanager
def atomic(path: str | Path, keep: bool = False):
    """Yield a temporary path beside ``path`` and move it there when the block succeeds.

    Its content is on disk by then, so that a crash of the machine leaves no empty file. Any number
    of processes, on any nodes, may do so at once; the last one stays. keep: a file that is there by
    then stays, where the file system can tell (has hard links). Raises StockpotError naming the
    file and the reason where it cannot be written, whichever library the block writes with.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        with writing(path, temporary):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            # safetensors writes files that nobody else may read, whatever the user's umask says.
            os.chmod(temporary, 0o666 & ~_UMASK)
            _sync(temporary)
            if not (keep and _linked(temporary, path)):
                os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: str | Path, temporary: str | Path | None = None):
    """Turn the errors of a block that writes a file into one line with its path and the reason.

    temporary: what the block really writes to, where that has another name. An error that is about
    another file is left as it is. Raises StockpotError.
    """
    path, temporary = Path(path), Path(temporary or path)
    try:
        yield
    except StockpotError:
        raise
    except OSError as error:
        reason = _os_reason(error, path, temporary)
        if reason is None:
            raise
        raise unwritable(path, reason) from error
    except Exception as error:
        reason = _library_reason(str(error), temporary)
        if reason is None:
            raise
        raise unwritable(path, reason) from error


def unwritable(path: str | Path, reason: str) -> StockpotError:
    return StockpotError(f"{path}: cannot be written ({reason})")


def _os_reason(error: OSError, path: Path, temporary: Path) -> str | None:
    """Why this file could not be written; None for an error that is about another file."""
    named = error.filename2 or error.filename
    if named is not None and not isinstance(named, int):
        own = (path, temporary, *path.parents)
        return error.strerror if Path(os.fsdecode(named)) in own else None
    if error.errno is None:
        return _library_reason(str(error), temporary)
    return error.strerror if error.errno in DISK_FAULTS else None


def _library_reason(text: str, temporary: Path) -> str | None:
    """What a library's error says of the disk; None where it says nothing of it."""
    if number := _NUMBER.search(text):
        return os.strerror(int(number[1]))
    if not _CUT_SHORT.search(text):
        return None
    try:  # The disk gave a reason that the library swallowed; asked again, it gives it again.
        with open(temporary, "ab") as file:
            file.write(bytes(1 << 16))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror
    return "the disk took only a part of it"


def open_own(path: str | Path, flags: int, mode: int = 0o666) -> int:
    """A descriptor of a file that is written: never through a link, and of a regular file alone.

    In folders that others may write to, a link of somebody else's would lead into any file of
    ours. Raises StockpotError naming the path where there is something else, OSError as os.open.
    """
    hint = "in the way of a file that is written here; move it away"
    try:
        descriptor = os.open(
            path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, mode
        )
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


def _linked(temporary: Path, path: Path) -> bool:
    try:
        os.link(temporary, path)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(file)


def wait_for(path: str | Path) -> None:
    """Return when the file is there, at the latest after ``PATIENCE`` seconds.

    For files that a job on another node wrote and that Snakemake does not wait for itself.
    """
    path, end = Path(path), time.monotonic() + PATIENCE
    if not os.path.exists(path):
        log.info(
            "waiting for %s, which a job on another node may have written just now",
            path,
        )
    while not os.path.exists(path) and time.monotonic() < end:
        with suppress(OSError):
            os.listdir(
                path.parent
            )  # a client that looks into the folder asks the server anew
        time.sleep(min(0.5, PATIENCE))
