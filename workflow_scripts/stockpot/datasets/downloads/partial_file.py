"""What of a download is there so far: a locked file beside the target.

A download to ``<target>`` writes to ``<target>.part``. The card ``<target>.part.json`` says which
remote file the bytes belong to, so that a later process can go on after them.
"""

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from ...runtime.atomic_files import open_without_links
from ...runtime.errors import StockpotError
from ...runtime.sealed import unsealed, write_sealed

log = logging.getLogger(__name__)

BLOCK = 1 << 20  # bytes that are read at once
LONGEST_CARD = 1 << 20  # bytes

Hashes = dict[str, Any]  # algorithm -> hash object of hashlib


class PartialFile:
    """Bytes of a download so far, hashed as they come.

    Until ``resume`` or ``restart`` is called, the bytes of an earlier process are not hashed.

    Attributes:
        path: Where the bytes are.
        file: The open file, not buffered.
        algorithms: Names of the hashes.
        card: The file that describes the remote file.
        size: Bytes in the file.
        remote: Plain data on the remote file that they belong to; empty where nothing is known.
        gone: Was the file moved or removed?
    """

    def __init__(
        self,
        path: Path,
        file: BinaryIO,
        algorithms: Iterable[str],
    ) -> None:
        """Take over an open file.

        Args:
            path: Where it is.
            file: The file, open for reading and appending.
            algorithms: Names of the hashes to compute, as of hashlib.
        """
        self.path = path
        self.file = file
        self.algorithms = tuple(algorithms)
        self.card = path.with_name(f"{path.name}.json")
        self.size = os.fstat(file.fileno()).st_size
        self.remote = _read_card(self.card)
        self.gone = False

    def resume(self) -> None:
        """Go on after the bytes that an earlier process left.

        Raises:
            OSError: They cannot be read.
        """
        self._hashes = _new_hashes(self.algorithms)
        self.file.seek(0)
        while block := self.file.read(BLOCK):
            _update(self._hashes, block)

    def restart(self, remote: dict[str, Any]) -> None:
        """Forget all bytes.

        Args:
            remote: What the bytes to come belong to.

        Raises:
            StockpotError: The disk does not take it.
        """
        self._hashes = _new_hashes(self.algorithms)
        self.size = 0
        self.remote = remote
        with self._write_errors():
            self.file.truncate(0)
            write_sealed(self.card, remote, depth=1)

    def append(self, block: bytes) -> None:
        """Write bytes after those that are there.

        Args:
            block: The bytes.

        Raises:
            StockpotError: The disk does not take them.
        """
        rest = memoryview(block)
        with self._write_errors():
            # A file that is not buffered may take fewer bytes than it is given.
            while rest:
                written = self.file.write(rest)
                _update(self._hashes, rest[:written])
                self.size += written
                rest = rest[written:]

    def digests(self) -> dict[str, str]:
        """Give the digests of the bytes so far.

        Returns:
            Algorithm -> hex digest.
        """
        return {name: digest.hexdigest() for name, digest in self._hashes.items()}

    def move_to(self, target: Path) -> None:
        """Give the whole file its name.

        Args:
            target: The path that it gets.

        Raises:
            StockpotError: It cannot be moved, or another file has taken its place.
        """
        with self._write_errors():
            # Another process may have put a file at the path; that one must not get the name.
            if not os.path.samestat(os.lstat(self.path), os.fstat(self.file.fileno())):
                raise StockpotError(f"{self.path}: another file has taken its place")
            os.replace(self.path, target)
        self.gone = True
        self.card.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the file and its card.

        Raises:
            OSError: The folder cannot be written.
        """
        # The card first: once the file is gone, its name may be another process's.
        self.card.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.gone = True

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        """Turn errors of the disk into one line that names the file."""
        try:
            yield
        except OSError as error:
            raise StockpotError(
                f"{self.path}: cannot be written ({error.strerror})"
            ) from error


@contextmanager
def locked_partial_file(
    target: Path, algorithms: Iterable[str]
) -> Iterator[PartialFile]:
    """Open ``<target>.part``, which no other process touches until the block ends.

    Waits for a process that has it. Where the file system has no locks, the file has another name
    and does not outlive the block. A file without a byte is not kept.

    Args:
        target: The path that the whole file will have.
        algorithms: Names of the hashes to compute, as of hashlib.

    Yields:
        The file, with the bytes of an earlier process if there are any.

    Raises:
        StockpotError: There is a link in its place; nothing is written through it.
    """
    # The usual name, so that a later process finds the bytes.
    path = target.with_name(f"{target.name}.part")
    file = _open_locked(path)
    has_lock = file is not None
    if file is None:
        # Without a lock, a name that no other process uses.
        path = target.with_name(f"{target.name}.{uuid4().hex[:12]}.part")
        file = open(path, "xb+", buffering=0)  # noqa: SIM115  closed below
    with file:
        partial_file = PartialFile(path, file, algorithms)
        try:
            yield partial_file
        finally:
            is_kept = partial_file.size and has_lock
            if not partial_file.gone and not is_kept:
                partial_file.discard()


def _open_locked(path: Path) -> BinaryIO | None:
    """The file at a path, open and locked; None where that cannot be.

    The lock is that of the file, not of the name: a process that waited for one which then moved
    or removed the file must look again.
    """
    while True:
        descriptor = open_without_links(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        file = os.fdopen(descriptor, "ab+", buffering=0)
        try:
            _lock(file, path)
        except OSError as error:
            log.info("no lock on this file system (%s)", error.strerror)
            if not os.fstat(file.fileno()).st_size:
                path.unlink(missing_ok=True)
            file.close()
            return None
        if _is_at(path, file):
            return file
        file.close()


def _is_at(path: Path, file: BinaryIO) -> bool:
    """Is an open file still the one that a path leads to?"""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _lock(file: BinaryIO, path: Path) -> None:
    """Lock a file for this process; wait for another one that has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("waiting for a process that is still at %s", path)
        fcntl.flock(file, fcntl.LOCK_EX)


def _new_hashes(algorithms: Iterable[str]) -> Hashes:
    # Of md5 too, which some publishers give; it finds damage, not forgery.
    return {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}


def file_digests(path: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Compute several digests of a file, which is read once.

    Args:
        path: The file.
        algorithms: Names of the hashes, as of hashlib.

    Returns:
        Algorithm -> hex digest.
    """
    hashes = _new_hashes(algorithms)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            _update(hashes, block)
    return {name: digest.hexdigest() for name, digest in hashes.items()}


def _update(hashes: Hashes, block: bytes | memoryview) -> None:
    for digest in hashes.values():
        digest.update(block)


def _read_card(path: Path) -> dict[str, Any]:
    """What is known of the remote file; nothing where the card is damaged or no file of ours."""
    try:
        with os.fdopen(open_without_links(path, os.O_RDONLY), "rb") as file:
            return unsealed(file.read(LONGEST_CARD))
    except (OSError, ValueError, StockpotError):
        return {}
