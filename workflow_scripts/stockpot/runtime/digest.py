"""Digest plain data and files."""

import hashlib
import json
from pathlib import Path
from typing import Any

SHORT_DIGITS = 8


def canonical(value: Any) -> str:
    """Write plain data as JSON with sorted keys and no spaces.

    Args:
        value: Dictionaries, lists, strings, numbers and None.

    Returns:
        The same text for the same data.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def plain(value: Any) -> Any:
    """Return the same data with sorted keys, so that the order in a file does not matter.

    Args:
        value: As for ``canonical``.

    Returns:
        A copy, in which keys are text and tuples are lists.
    """
    return json.loads(canonical(value))


def sha256(value: Any) -> str:
    """Digest plain data.

    Args:
        value: As for ``canonical``.

    Returns:
        64 hex digits.
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def short(value: Any) -> str:
    """Digest plain data, with as many digits as the name of a folder needs.

    Args:
        value: As for ``canonical``.

    Returns:
        The first 8 hex digits of ``sha256``.
    """
    return sha256(value)[:SHORT_DIGITS]


def sha256_file(path: str | Path) -> str:
    """Digest the content of a file.

    Args:
        path: The file.

    Returns:
        64 hex digits.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
