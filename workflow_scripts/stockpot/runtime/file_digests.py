"""Remember digests of large files, because planning needs them at every start."""

import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .digest import sha256_file
from .errors import StockpotError
from .sealed import unsealed, write_sealed

CACHE = Path("results/.file-digests.json")
SMALL = 1 << 20  # bytes; reading such a file costs no more than reading the cache
SETTLED = 2_000_000_000  # nanoseconds; no file system's clock ticks more slowly


def sha256_file_cached(
    path: str | Path,
    cache: Path | None = None,
) -> str:
    """Digest the content of a file, which is read only if it may have changed.

    A file is recognised by its absolute path, inode, size and two times: the last change of its
    content, which programs can set back, and the last change of any kind, which they cannot. A file
    that changed within the last two seconds is not remembered, because it could change again within
    the same tick of its file system's clock.

    Args:
        path: The file.
        cache: Where digests are kept, by default ``CACHE``. If it is damaged or cannot be written,
            this costs only time.

    Returns:
        SHA-256 of the whole content, 64 hex digits.

    Raises:
        OSError: If the file cannot be read.
    """
    if cache is None:
        cache = CACHE
    name = os.path.abspath(path)
    before = os.stat(path)
    if before.st_size < SMALL:
        return sha256_file(path)
    entry = _read_cache(cache).get(name)
    if isinstance(entry, list) and entry[:-1] == _identity(before):
        return entry[-1]
    digest = sha256_file(path)
    # If the file changed while it was read, nobody knows what the digest is of.
    after = os.stat(path)
    if _identity(before) == _identity(after) and _is_settled(after):
        _remember(cache, name, [*_identity(after), digest])
    return digest


def _identity(status: os.stat_result) -> list[int]:
    """Return what changes when the content of a file changes."""
    return [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _is_settled(status: os.stat_result) -> bool:
    """Tell whether the clock has gone on since the last change of a file."""
    last_change = max(status.st_mtime_ns, status.st_ctime_ns)
    return last_change < time.time_ns() - SETTLED


def _read_cache(cache: Path) -> dict[str, Any]:
    """Read all entries: path -> identity and digest."""
    try:
        return unsealed(cache.read_bytes(), cache)
    except (OSError, ValueError):
        return {}


def _remember(
    cache: Path,
    name: str,
    entry: list[Any],
) -> None:
    """Add an entry, and drop those of files that are gone.

    Two processes may do so at once. What one of them forgets is read again next time.
    """
    entries = {}
    for path, known_entry in _read_cache(cache).items():
        if os.path.exists(path):
            entries[path] = known_entry
    entries[name] = entry
    with suppress(OSError, StockpotError):
        write_sealed(cache, entries)
