"""JSON files that carry a digest of their content, so that damage is noticed when they are read.

They also say where they belong: a file of the results that took another one's place is as bad as a
damaged one.
"""

import errno
import json
import os
import re
import shlex
from pathlib import Path

from .atomic_files import atomic
from .digest import plain, sha256
from .errors import StockpotError
from .escape import one_line

SEAL, PLACE = "seal", "file"
# Errors that say that the file is not there, or is no file. All others are of the machine (no
# memory, no rights, a disk or network that fails): the file may be whole.
NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.ENODEV)


def write_sealed(
    path: str | Path, content: dict, depth: int = 3, indent: int | None = 1
) -> None:
    """Write a dict as JSON with its seal; the file appears whole or not at all.

    depth: how many of the last parts of its path tell the file from all others of its kind.
    indent: None writes one long line, which is quicker.
    Raises StockpotError where it cannot be written.
    """
    with atomic(path) as temporary:
        temporary.write_text(sealed(content, place_of(path, depth), indent), "utf-8")


def sealed(content: dict, place: str = "", indent: int | None = 1) -> str:
    """The text of a sealed file: the content, its place, and the digest of both."""
    whole = {**plain(content), PLACE: place}
    return (
        json.dumps({**content, PLACE: place, SEAL: sha256(whole)}, indent=indent) + "\n"
    )


def place_of(path: str | Path, depth: int = 3) -> str:
    """The last parts of a path, as "recipes/greedy-1234.json" after the results folder's name."""
    return "/".join(Path(os.path.abspath(path)).parts[-depth:])


def unsealed(text: str | bytes, path: str | Path = "") -> dict:
    """The content of a sealed file, without place and seal.

    path: where it was found. Raises ValueError, with the reason, for anything but what
    ``write_sealed`` wrote there.
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


def check_place(place: str, path: str | Path) -> None:
    """Raises ValueError for a file that lies where another one of its kind belongs.

    A whole folder may be moved or copied elsewhere: only among its own kind does a place count.
    """
    parts = place.split("/")
    own = place_of(path, len(parts)).split("/") if path and place else parts
    if own[0] == parts[0] and own != parts:
        raise ValueError(f"it is that of {one_line(place, 100)}")


def read_sealed(path: str | Path, remove: str | Path | None = None) -> dict:
    """The content of a sealed file.

    remove: what has to be removed so that the workflow makes the file again; itself by default.
    Raises StockpotError naming the file, the reason and, unless only the machine is at fault, the
    command that removes it.
    """
    try:
        return unsealed(Path(path).read_bytes(), path)
    except OSError as error:
        raise unreadable(path, error, remove) from error
    except ValueError as error:
        raise damaged(path, str(error), remove) from error


def unreadable(
    path: str | Path, error: OSError, *remove: str | Path | None
) -> StockpotError:
    """One line on a file of the results that cannot be read.

    Args:
        path: The file.
        error: What reading it raised; safetensors says the number of the error in its text.
        remove: As of ``damaged``; removing is advised only where there is no such file.
    """
    text = str(error)
    number = re.search(r"os error (\d+)", text)
    code = error.errno or (int(number[1]) if number else None)
    reason = error.strerror or text
    if code is None or code in NO_FILE:
        return damaged(path, reason, *remove)
    return StockpotError(
        f"{one_line(path, 250)}: cannot be read ({one_line(reason, 150)}); it may be whole, so "
        "mend that and give the same command again"
    )


def damaged(path: str | Path, reason: str, *remove: str | Path | None) -> StockpotError:
    """One line on a file of the results that cannot be used, and how to have it made again.

    remove: what has to go, by default the file itself.
    """
    targets = [target for target in remove if target is not None] or [path]
    force = "-rf" if any(os.path.isdir(target) for target in targets) else "-f"
    command = shlex.join(["rm", force, *map(str, targets)])
    reason = one_line(reason, 150)
    return StockpotError(
        f"{path}: damaged ({reason})",
        advice=f"{command} and the same command make it anew",
    )
