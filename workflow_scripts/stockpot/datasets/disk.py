"""How much data is it, and is there room for it on the disk?"""

import errno
import os
import shutil
from pathlib import Path

from tqdm import tqdm

from ..runtime.errors import StockpotError

# Codes of errors that say that a file does not fit: disk full, quota used up, file too large.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def format_bytes(n: float) -> str:
    """Format an amount of data.

    Args:
        n: Bytes.

    Returns:
        Text such as 1.23GB, which is 1.23e9 bytes.
    """
    return tqdm.format_sizeof(n, "B")


def require_space(
    folder: Path,
    needed: int,
    what: str,
) -> None:
    """Require that the disk of a folder has room for some data.

    Args:
        folder: A folder that exists.
        needed: Bytes.
        what: Name of the data, with which the message begins.

    Raises:
        StockpotError: There is not enough room.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StockpotError(
            f"{what}: needs {format_bytes(needed)} on the disk of {folder}, which has "
            f"{format_bytes(free)} free"
        )


def reserve(path: Path, size: int) -> None:
    """Take the blocks of a file on the disk before it is written to through a memory map.

    The kernel kills a process that writes to a mapped file without blocks when the disk is full.
    Where the file system cannot take blocks ahead, nothing happens.

    Args:
        path: A file that exists.
        size: Its size in bytes.

    Raises:
        StockpotError: The disk has too few blocks.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with open(path, "r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise StockpotError(
                    f"{path}: no room for its {format_bytes(size)} ({error.strerror})"
                ) from error
