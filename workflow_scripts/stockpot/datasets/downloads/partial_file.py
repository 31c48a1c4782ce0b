"""The part of a download that is there: a locked file beside the target, and whose part it is."""

import fcntl
import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from ...runtime.atomic_files import open_own
from ...runtime.errors import StockpotError
from ...runtime.sealed import unsealed, write_sealed

log = logging.getLogger(__name__)

BLOCK = 1 << 20


class Part:
    """Bytes of a download so far, hashed as they come.

    size: bytes in the file. remote: plain data on the remote file that they belong to, kept in a
    file of its own; {} where nothing is known of them. Until ``resume`` or ``restart`` is called
    the bytes of an earlier process are not in the hashes.
    """

    def __init__(self, path: Path, file: BinaryIO, algorithms: Iterable[str]) -> None:
        self.path, self.file, self.algorithms = path, file, tuple(algorithms)
        self.card = path.with_name(f"{path.name}.json")
        self.size = os.fstat(file.fileno()).st_size
        self.remote = _read_card(self.card)
        self.gone = False

    def resume(self) -> None:
        """Go on after the bytes that an earlier process left."""
        self._hashes = new_hashes(self.algorithms)
        self.file.seek(0)
        while block := self.file.read(BLOCK):
            _update(self._hashes, block)

    def restart(self, remote: dict) -> None:
        """Forget all bytes; those to come belong to ``remote``."""
        self._hashes, self.size, self.remote = new_hashes(self.algorithms), 0, remote
        with self._writing():
            self.file.truncate(0)
            write_sealed(self.card, remote, depth=1)

    def append(self, block: bytes) -> None:
        """Raises StockpotError where the disk does not take them."""
        rest = memoryview(block)
        with self._writing():
            while rest:
                n = self.file.write(rest)
                _update(self._hashes, rest[:n])
                self.size, rest = self.size + n, rest[n:]

    def digests(self) -> dict[str, str]:
        """Algorithm -> hex digest of the bytes so far."""
        return {name: digest.hexdigest() for name, digest in self._hashes.items()}

    def move_to(self, target: Path) -> None:
        """The part is whole and becomes the target."""
        with self._writing():
            if not os.path.samestat(os.lstat(self.path), os.fstat(self.file.fileno())):
                raise StockpotError(f"{self.path}: another file has taken its place")
            os.replace(self.path, target)
        self.gone = True
        self.card.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove it; its card first, as from then on the name may be another process's."""
        self.card.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.gone = True

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StockpotError(
                f"{self.path}: cannot be written ({error.strerror})"
            ) from error


@contextmanager
def own_part(target: Path, algorithms: Iterable[str]) -> Iterator[Part]:
    """The part ``<target>.part``, which no other process touches until the block ends.

    Waits for a process that has it. Nothing is written through a link: StockpotError. Where the
    file system has no locks, a part of another name that does not outlive the block. A part without
    a byte is not kept.
    """
    path, shared = target.with_name(f"{target.name}.part"), True
    file = _locked(path)
    if file is None:
        path, shared = target.with_name(f"{target.name}.{uuid4().hex[:12]}.part"), False
        file = open(path, "xb+", buffering=0)  # noqa: SIM115  closed below
    with file:
        part = Part(path, file, algorithms)
        try:
            yield part
        finally:
            if not part.gone and (not part.size or not shared):
                part.discard()


def _locked(path: Path) -> BinaryIO | None:
    """The file at a path, open and locked; None where that cannot be.

    The lock is that of the file, not of the name: a process that waited for one which then moved
    or removed the file must look again.
    """
    while True:
        descriptor = open_own(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        file = os.fdopen(descriptor, "ab+", buffering=0)
        try:
            _lock(file, path)
        except OSError as error:
            log.info("no lock on this file system (%s)", error.strerror)
            if not os.fstat(file.fileno()).st_size:
                path.unlink(missing_ok=True)
            file.close()
            return None
        try:
            if os.path.samestat(os.lstat(path), os.fstat(file.fileno())):
                return file
        except FileNotFoundError:
            pass
        file.close()


def _lock(file: BinaryIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.info("waiting for a process that is still at %s", path)
        fcntl.flock(file, fcntl.LOCK_EX)


def new_hashes(algorithms: Iterable[str]) -> dict:
    return {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}


def file_digests(path: Path, algorithms: Iterable[str]) -> dict[str, str]:
    """Algorithm -> hex digest of a file, read once."""
    hashes = new_hashes(algorithms)
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            _update(hashes, block)
    return {name: digest.hexdigest() for name, digest in hashes.items()}


def _update(hashes: dict, block: bytes) -> None:
    for digest in hashes.values():
        digest.update(block)


def _read_card(path: Path) -> dict:
    """What is known of the remote file; nothing where the card is damaged or no file of ours."""
    try:
        with os.fdopen(open_own(path, os.O_RDONLY), "rb") as file:
            return unsealed(file.read(1 << 20))
    except (OSError, ValueError, StockpotError):
        return {}
