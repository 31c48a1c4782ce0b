"""Digests of large files that were computed before, for planning, which happens at every start."""

import os
import time
from contextlib import suppress
from pathlib import Path

from .digest import sha256_file
from .errors import StockpotError
from .sealed import unsealed, write_sealed

CACHE = Path("results/.file-digests.json")
SMALL = 1 << 20  # bytes; reading such a file costs no more than looking its digest up
SETTLED = 2_000_000_000  # nanoseconds; no file system's clock ticks more slowly


def sha256_file_cached(path: str | Path, cache: Path | None = None) -> str:
    """SHA-256 of the whole content of a file, read only where it may have changed.

    A file is known by its absolute path, inode, size and both of its times: that of its last
    change of any kind cannot be set back, as that of its content can. A file that changed within
    the last two seconds is not remembered, as it could change again within the same tick of its
    file system's clock. cache: where digests are kept, ``CACHE`` by default; one that is
    damaged or cannot be written costs time and nothing else. Raises OSError where the file cannot
    be read.
    """
    cache = CACHE if cache is None else cache
    name = os.path.abspath(path)
    before = os.stat(path)
    if before.st_size < SMALL:
        return sha256_file(path)
    known = _read(cache).get(name)
    if isinstance(known, list) and known[:-1] == _identity(before):
        return known[-1]
    digest = sha256_file(path)
    after = os.stat(path)
    if _identity(before) == _identity(after) and _settled(after):
        _remember(cache, name, [*_identity(after), digest])
    return digest


def _identity(stat: os.stat_result) -> list[int]:
    return [stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns]


def _settled(stat: os.stat_result) -> bool:
    last_change = max(stat.st_mtime_ns, stat.st_ctime_ns)
    return last_change < time.time_ns() - SETTLED


def _read(cache: Path) -> dict:
    try:
        return unsealed(cache.read_bytes(), cache)
    except (OSError, ValueError):
        return {}


def _remember(cache: Path, name: str, entry: list) -> None:
    """Two processes may do so at once; what one of them forgets is read again next time."""
    there = {
        path: known for path, known in _read(cache).items() if os.path.exists(path)
    }
    with suppress(OSError, StockpotError):
        write_sealed(cache, {**there, name: entry})
