"""JSON files that carry a digest of their content, so that damage is noticed when they are read."""

import json
import os
import shlex
from pathlib import Path

from .digest import plain, sha256
from .errors import StockpotError
from .files import atomic

SEAL = "seal"


def sealed(content: dict) -> dict:
    """The content with its digest beside it, under the key ``SEAL``."""
    return {**content, SEAL: sha256(plain(content))}


def write_sealed(path: str | Path, content: dict) -> None:
    """Write a dict as JSON with its seal; the file appears whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(sealed(content), indent=1) + "\n", "utf-8")


def unsealed(text: str | bytes) -> dict:
    """The content of a sealed file without its seal.

    Raises ValueError, with the reason, for anything but what ``write_sealed`` wrote.
    """
    try:
        content = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(content, dict) or SEAL not in content:
        raise ValueError("it has no seal")
    seal = content.pop(SEAL)
    if seal != sha256(content):
        raise ValueError("its content is not what its seal says")
    return content


def read_sealed(path: str | Path, remove: str | Path | None = None) -> dict:
    """The content of a sealed file.

    remove: what has to be removed so that the workflow makes the file again; itself by default.
    Raises StockpotError naming the file, the reason and the command that removes it.
    """
    try:
        return unsealed(Path(path).read_bytes())
    except OSError as error:
        raise damaged(path, error.strerror or str(error), remove) from error
    except ValueError as error:
        raise damaged(path, str(error), remove) from error


def damaged(path: str | Path, reason: str, remove: str | Path | None = None) -> StockpotError:
    """One line on a file of the results that cannot be used, and how to have it made again."""
    target = path if remove is None else remove
    force = "-rf" if os.path.isdir(target) else "-f"
    command = f"rm {force} {shlex.quote(str(target))}"
    return StockpotError(f"{path}: damaged ({reason}); {command} and the same command make it anew")
