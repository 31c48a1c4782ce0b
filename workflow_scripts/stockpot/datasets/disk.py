"""How much is it, and is there room for it?"""

import errno
import os
import shutil
from pathlib import Path

from tqdm import tqdm

from ..runtime.errors import StockpotError


def readable(n: float) -> str:
    """Bytes for a reader: 1.23GB is 1.23e9 bytes."""
    return tqdm.format_sizeof(n, "B")


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raises StockpotError naming ``what`` if the disk of a folder has no room for its bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StockpotError(
            f"{what}: needs {readable(needed)} on the disk of {folder}, which has "
            f"{readable(free)} free"
        )


def reserve(path: Path, size: int) -> None:
    """Take the blocks of a file of ``size`` bytes, as writing to a mapped file that has none, on a
    full disk, kills the process. Raises StockpotError if there are too few; where the file system
    takes none ahead, nothing happens."""
    if not hasattr(os, "posix_fallocate"):
        return
    with open(path, "r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, size)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise StockpotError(
                    f"{path}: no room for its {readable(size)} ({error.strerror})"
                ) from error
