"""Digests of plain data and of files."""

import hashlib
import json
from pathlib import Path


def canonical(value) -> str:
    """JSON with sorted keys and no spaces; the same data gives the same text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value):
    """The same data with sorted keys: what does not depend on the order in a file."""
    return json.loads(canonical(value))


def sha256(value) -> str:
    """Hex digest of plain data (dicts, lists, strings, numbers, None)."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def short(value) -> str:
    """The first 8 hex digits: enough to name a folder."""
    return sha256(value)[:8]


def sha256_file(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
