"""Open files that somebody else named: only regular files, and never for ever.

A path from a config, a CSV file or an archive may be that of a pipe, a device or a folder. Opening
a pipe waits until somebody writes to it, and reading /dev/zero never ends. So every such file is
opened here.
"""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from .errors import StockpotError
from .escape import one_line

TEXT_LIMIT = 64 << 20  # bytes; no config, prompt or class list comes near

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class NotRegularError(OSError):
    """The path exists, but it is no regular file. ``strerror`` says what it is."""


def check_regular(
    mode: int,
    path: str | Path,
) -> None:
    """Refuse anything that is no regular file.

    Args:
        mode: ``st_mode`` of ``os.stat``.
        path: The file, for the error.

    Raises:
        NotRegularError: If it is something else.
    """
    if not stat.S_ISREG(mode):
        raise NotRegularError(
            errno.EINVAL, f"it is {_kind(mode)}, not a file", str(path)
        )


def _kind(mode: int) -> str:
    """Say what a file is that is no regular one."""
    for is_kind, name in _KINDS:
        if is_kind(mode):
            return name
    return "a special file"


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file for reading in binary mode.

    Args:
        path: The file. Links are followed.

    Returns:
        The open file.

    Raises:
        NotRegularError: If it is a pipe, a device, a socket or a folder.
        OSError: If it cannot be opened.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer. On regular files it has no effect.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        check_regular(os.fstat(descriptor).st_mode, path)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_text(
    path: str | Path,
    what: str,
    limit: int = TEXT_LIMIT,
) -> str:
    """Read a UTF-8 text file.

    Args:
        path: The file.
        what: Key of the config that names the file; errors begin with it.
        limit: Largest size in bytes.

    Returns:
        The text, without a byte order mark at its start.

    Raises:
        StockpotError: If the file is missing, no regular file, too large or not UTF-8. The error is
            one line.
    """
    shown_path = one_line(str(path), 200)
    try:
        with open_regular(path) as file:
            content = file.read(limit + 1)
    except OSError as error:
        message = f"{what}: cannot read {shown_path} ({error.strerror})"
        raise StockpotError(message) from error
    if len(content) > limit:
        megabytes = limit >> 20
        raise StockpotError(
            f"{what}: {shown_path} is larger than {megabytes} MB, so it is not read"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{what}: {shown_path} is not UTF-8 (line {line}); save it as UTF-8"
        raise StockpotError(message) from error
