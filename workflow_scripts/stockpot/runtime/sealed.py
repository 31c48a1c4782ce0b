"""Write and read JSON files that carry a digest of their content, so that damage is noticed.

They also carry the place where they belong: a file of the results that took the place of another
one is as bad as a damaged one.
"""

import errno
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

from .atomic_files import atomic
from .digest import plain, sha256
from .errors import StockpotError
from .escape import one_line

# Keys that a sealed file has beside its content.
SEAL = "seal"
PLACE = "file"
# Errors that say that the file is not there, or that it is no file. All others are faults of the
# machine (no memory, no rights, a disk or network that fails): the file itself may be whole.
NO_FILE = (
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.ELOOP,
    errno.ENODEV,
)


def write_sealed(
    path: str | Path,
    content: dict[Any, Any],
    depth: int = 3,
    indent: int | None = 1,
) -> None:
    """Write a dictionary as JSON with its seal. The file appears whole or not at all.

    Args:
        path: The file.
        content: Plain data. Keys become text.
        depth: How many of the last parts of the path tell the file from all others of its kind.
        indent: Spaces per level; None writes one long line, which is faster.

    Raises:
        StockpotError: If the file cannot be written.
    """
    place = place_of(path, depth)
    with atomic(path) as temporary:
        text = sealed(content, place, indent)
        temporary.write_text(text, "utf-8")


def sealed(
    content: dict[Any, Any],
    place: str = "",
    indent: int | None = 1,
) -> str:
    """Return the text of a sealed file: the content, its place, and the digest of both.

    Args:
        content: Plain data.
        place: Where the file belongs, from ``place_of``; empty if it may lie anywhere.
        indent: As for ``write_sealed``.

    Returns:
        JSON with a newline at its end.
    """
    # The digest is that of the content as JSON gives it back, with keys that are text.
    sealed_part = {**plain(content), PLACE: place}
    whole = {
        **content,
        PLACE: place,
        SEAL: sha256(sealed_part),
    }
    return json.dumps(whole, indent=indent) + "\n"


def place_of(
    path: str | Path,
    depth: int = 3,
) -> str:
    """Return the last parts of a path, which say where a file belongs.

    Args:
        path: The file.
        depth: Number of parts.

    Returns:
        For example "results/recipes/greedy-1234.json".
    """
    absolute_path = os.path.abspath(path)
    parts = Path(absolute_path).parts
    return "/".join(parts[-depth:])


def unsealed(
    text: str | bytes,
    path: str | Path = "",
) -> dict[str, Any]:
    """Return the content of a sealed file, without place and seal.

    Args:
        text: Text of the file.
        path: Where the file lies; empty if this does not matter.

    Returns:
        The content.

    Raises:
        ValueError: If the text is not what ``write_sealed`` wrote to this path. The error says why.
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
    check_place(content.pop(PLACE, ""), path)
    return content


def check_place(
    place: str,
    path: str | Path,
) -> None:
    """Refuse a file that lies where another one of its kind belongs.

    A whole folder may be moved or copied elsewhere, so the place counts only if the first part of
    both is the same: then the file lies among its own kind.

    Args:
        place: Where the file belongs, from ``place_of``; empty if it may lie anywhere.
        path: Where the file lies; empty if this does not matter.

    Raises:
        ValueError: If the file is that of another place.
    """
    if not path or not place:
        return
    expected_parts = place.split("/")
    actual_place = place_of(path, len(expected_parts))
    actual_parts = actual_place.split("/")
    is_among_its_kind = actual_parts[0] == expected_parts[0]
    if is_among_its_kind and actual_parts != expected_parts:
        raise ValueError(f"it is that of {one_line(place, 100)}")


def read_sealed(
    path: str | Path,
    remove: str | Path | None = None,
) -> dict[str, Any]:
    """Read a sealed file.

    Args:
        path: The file.
        remove: What has to be removed so that the workflow makes the file again; by default the
            file itself.

    Returns:
        Its content.

    Raises:
        StockpotError: If it cannot be read or is damaged. The error names the file, the reason and,
            unless only the machine is at fault, the command that removes it.
    """
    try:
        content = Path(path).read_bytes()
        return unsealed(content, path)
    except OSError as error:
        raise unreadable(path, error, remove) from error
    except ValueError as error:
        raise damaged(path, str(error), remove) from error


def unreadable(
    path: str | Path,
    error: OSError,
    *remove: str | Path | None,
) -> StockpotError:
    """Return an error of one line for a file of the results that cannot be read.

    Args:
        path: The file.
        error: What reading it raised.
        remove: As for ``damaged``. Removing is advised only if there is no such file.

    Returns:
        The error, to be raised.
    """
    text = str(error)
    code = error.errno
    if not code:
        # safetensors gives the number of the error only in its text.
        number = re.search(r"os error (\d+)", text)
        code = None
        if number:
            code = int(number[1])
    reason = error.strerror or text
    if code is None or code in NO_FILE:
        return damaged(path, reason, *remove)
    shown_path = one_line(path, 250)
    shown_reason = one_line(reason, 150)
    return StockpotError(
        f"{shown_path}: cannot be read ({shown_reason}); it may be whole, so "
        "mend that and give the same command again"
    )


def damaged(
    path: str | Path,
    reason: str,
    *remove: str | Path | None,
) -> StockpotError:
    """Return an error of one line for a file of the results that cannot be used.

    Args:
        path: The file.
        reason: What is wrong with it.
        remove: Files and folders that have to be removed so that the workflow makes the file again;
            by default the file itself. None is passed over.

    Returns:
        The error, to be raised. It names the command that removes them.
    """
    targets = [target for target in remove if target is not None]
    if not targets:
        targets = [path]
    has_folder = any(os.path.isdir(target) for target in targets)
    flags = "-rf" if has_folder else "-f"
    words = ["rm", flags]
    words += map(str, targets)
    command = shlex.join(words)
    shown_reason = one_line(reason, 150)
    return StockpotError(
        f"{path}: damaged ({shown_reason})",
        advice=f"{command} and the same command make it anew",
    )
