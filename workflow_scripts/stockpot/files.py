"""Files that appear whole or not at all, and that other nodes see some time after."""

import errno
import logging
import os
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

log = logging.getLogger(__name__)

PATIENCE = 30.0  # seconds; network file systems remember for about as long what was not there
_NO_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def atomic(path: str | Path, keep: bool = False):
    """Yield a temporary path beside ``path`` and move it there when the block succeeds.

    Its content is on disk by then, so that a crash of the machine leaves no empty file. Any number
    of processes, on any nodes, may do so at once; the last one stays. keep: a file that is there by
    then stays, where the file system can tell (has hard links).
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    try:
        yield temporary
        _sync(temporary)
        if not (keep and _linked(temporary, path)):
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


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
        log.info("waiting for %s, which a job on another node may have written just now", path)
    while not os.path.exists(path) and time.monotonic() < end:
        with suppress(OSError):
            os.listdir(path.parent)  # a client that looks into the folder asks the server anew
        time.sleep(min(0.5, PATIENCE))
