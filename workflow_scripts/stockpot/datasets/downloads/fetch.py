"""Fetch a published data set: archives that are checked and unpacked into one folder.

A note in the folder (``DONE``) says which files were fetched and unpacked into it. Archives wait
in ``<folder>.downloads`` beside it until they are unpacked.
"""

import json
import logging
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...runtime.digest import sha256_file
from ...runtime.errors import StockpotError
from ...runtime.sealed import SEAL, unsealed, write_sealed
from .partial_file import locked_partial_file
from .transfer import download
from .unpack import unpack

log = logging.getLogger(__name__)

DONE = ".fetched.json"
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")

Digests = dict[str, str]  # file name -> sha256


def fetch(spec: dict[str, Any]) -> dict[str, str]:
    """Download and unpack all archives of a data set.

    A folder that somebody else filled is left alone. A stopped call goes on with the file that it
    was at. Processes that want the same folder wait for each other.

    Args:
        spec: "path": the folder. "archives": url, checksum, size and into (a folder below, or "")
            of each. "mirror": where files of the same names lie instead, or "".

    Returns:
        File name -> sha256 of all that was fetched into the folder, in this call or before.

    Raises:
        StockpotError: As ``download`` and ``unpack``, and where a name is in the folder already.
    """
    folder = Path(spec["path"]).resolve()
    downloads = folder.with_name(f"{folder.name}.downloads")
    with _locked_folder(downloads):
        return _fetch(folder, downloads, spec)


def _fetch(
    folder: Path,
    downloads: Path,
    spec: dict[str, Any],
) -> Digests:
    note = folder / DONE
    if folder.exists() and not note.exists() and any(folder.iterdir()):
        log.info("%s is there already; nothing is fetched", folder)
        return {}
    digests = _read_note(note)
    # One after another; the note after each tells a later call where to go on.
    for archive in spec["archives"]:
        name = urlsplit(archive["url"]).path.rpartition("/")[2]
        file = downloads / name
        unpacked = downloads / f"{name}.unpacked"
        if name not in digests:
            url = archive["url"]
            if spec["mirror"]:
                url = f"{spec['mirror'].rstrip('/')}/{name}"
            digests[name] = download(
                url,
                file,
                archive["checksum"],
                archive["size"],
            )
            if name.endswith(ARCHIVES):
                _unpack_into(
                    folder,
                    archive["into"],
                    file,
                    unpacked,
                    digests,
                )
            else:
                _claim(folder, archive["into"])
                _place_file(file, folder / archive["into"] / name, digests[name])
            _write_note(folder, digests)
        # What is noted is whole; a stopped call may have left its download.
        file.unlink(missing_ok=True)
        if unpacked.exists():
            unpacked.rmdir()
    return digests


def _unpack_into(
    folder: Path, into: str, file: Path, unpacked: Path, digests: Digests
) -> None:
    """Unpack an archive beside the folder, and move its content to its place in it."""
    if not unpacked.exists():  # else a stopped call unpacked it
        log.info("unpacking %s for %s", file, folder / into)
        unpack(file, unpacked, kept=DONE)
    if not into and not (folder / DONE).exists():
        # The first archive becomes the folder in one step, in place of an empty one. It has its
        # note by then, so that no call takes it for a folder that somebody else filled.
        _write_note(unpacked, digests)
        unpacked.rename(folder)
    else:
        _claim(folder, into)
        _move_contents(unpacked, folder / into)


@contextmanager
def _locked_folder(downloads: Path) -> Iterator[None]:
    """Keep other processes from the folder of the downloads until the block ends.

    Then the folder is gone, if nothing is in it.
    """
    try:
        with ExitStack() as stack:
            while True:
                try:
                    downloads.mkdir(parents=True, exist_ok=True)
                    # A partial file that nothing is written to: only its lock is needed.
                    lock = locked_partial_file(downloads / "lock", ())
                    stack.enter_context(lock)
                except FileNotFoundError:
                    # The process before this one took the folder away meanwhile.
                    continue
                except OSError as error:
                    log.info("%s: no lock there (%s)", downloads, error.strerror)
                break
            yield
    finally:
        with suppress(OSError):
            downloads.rmdir()


# The note.


def _write_note(folder: Path, digests: Digests) -> None:
    # Depth 1: the seal holds whatever the folder is called.
    write_sealed(folder / DONE, digests, depth=1)


def _read_note(note: Path) -> Digests:
    """What was fetched before.

    Raises:
        StockpotError: The note is damaged, so that it is not known which files are whole.
    """
    try:
        content = note.read_bytes()
        unsealed_digests = _digests_without_seal(content)
        if unsealed_digests is not None:
            with suppress(StockpotError):  # of a disk that is read only
                _write_note(note.parent, unsealed_digests)
            return unsealed_digests
        return unsealed(content, note)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        command = shlex.join(["mv", str(note.parent), f"{note.parent}.damaged"])
        raise StockpotError(
            f"{note}: damaged ({reason})",
            advice=f"{command} and the same command fetches all of it again",
        ) from error


def _digests_without_seal(content: bytes) -> Digests | None:
    """A note as earlier versions wrote it: file name -> sha256 and nothing else; else None."""
    try:
        note = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(note, dict) or SEAL in note:
        return None
    for digest in note.values():
        if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
            return None
    return note


# The folder.


def _claim(folder: Path, into: str) -> None:
    """Make a folder below ours, which says that it is ours before anything else is in it."""
    if not (folder / DONE).exists():
        _write_note(folder, {})
    (folder / into).mkdir(parents=True, exist_ok=True)


def _place_file(
    file: Path,
    target: Path,
    sha256: str,
) -> None:
    """Give a file that is no archive its place; a stopped call may have done so."""
    if not os.path.lexists(target):
        file.rename(target)
    elif not target.is_file() or sha256_file(target) != sha256:
        raise _in_the_way(target, file)


def _move_contents(unpacked: Path, folder: Path) -> None:
    """Move all that an archive held into a folder; a stopped call may have moved some of it."""
    for path in sorted(unpacked.iterdir()):
        target = folder / path.name
        if os.path.lexists(target):
            raise _in_the_way(target, path)
        path.rename(target)


def _in_the_way(target: Path, path: Path) -> StockpotError:
    return StockpotError(
        f"{target}: is there already; move it away to put {path} there"
    )
