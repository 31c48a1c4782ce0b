"""Fetch a published data set: archives that are checked and unpacked into one folder."""

import json
import logging
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from ...runtime.digest import sha256_file
from ...runtime.errors import StockpotError
from ...runtime.sealed import SEAL, unsealed, write_sealed
from .partial_file import own_part
from .transfer import download
from .unpack import unpack

log = logging.getLogger(__name__)

DONE = ".fetched.json"
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")


def fetch(spec: dict) -> dict[str, str]:
    """File name -> sha256 of all that was fetched into the folder, in this call or before.

    spec: path, of the folder; archives: url, checksum, size, into (a folder below, or "") each;
    mirror: where files of the same names lie instead, or "". A folder that somebody else filled
    is left alone. A stopped call goes on with the file that it was at. Processes that want the
    same folder wait for each other. Raises StockpotError as ``download`` and ``unpack`` do, and
    where a name is in the folder already.
    """
    folder = Path(spec["path"]).resolve()
    waiting = folder.with_name(f"{folder.name}.downloads")
    with _alone(waiting):
        return _fetch(folder, waiting, spec)


def _fetch(folder: Path, waiting: Path, spec: dict) -> dict[str, str]:
    done = folder / DONE
    if folder.exists() and not done.exists() and any(folder.iterdir()):
        log.info("%s is there already; nothing is fetched", folder)
        return {}
    found = _noted(done)
    for archive in spec["archives"]:
        name = urlsplit(archive["url"]).path.rpartition("/")[2]
        file, whole = waiting / name, waiting / f"{name}.unpacked"
        if name not in found:
            url = (
                f"{spec['mirror'].rstrip('/')}/{name}"
                if spec["mirror"]
                else archive["url"]
            )
            found[name] = download(url, file, archive["checksum"], archive["size"])
            if not name.endswith(ARCHIVES):
                _own(folder, archive["into"])
                _put(file, folder / archive["into"] / name, found[name])
            else:
                if not whole.exists():  # else a stopped call unpacked it
                    log.info("unpacking %s for %s", file, folder / archive["into"])
                    unpack(file, whole, kept=DONE)
                if not archive["into"] and not done.exists():
                    _note(whole, found)
                    whole.rename(folder)  # at once, and in place of an empty one
                else:
                    _own(folder, archive["into"])
                    _move(whole, folder / archive["into"])
            _note(folder, found)
        file.unlink(missing_ok=True)
        if whole.exists():
            whole.rmdir()
    return found


@contextmanager
def _alone(waiting: Path) -> Iterator[None]:
    """No other process is at the folder of the downloads until the block ends; then it is gone,
    if nothing is in it."""
    try:
        with ExitStack() as stack:
            while True:
                try:
                    waiting.mkdir(parents=True, exist_ok=True)
                    stack.enter_context(
                        own_part(waiting / "lock", ())
                    )  # for its lock alone
                except FileNotFoundError:
                    continue  # the process before this one took the folder away meanwhile
                except OSError as error:
                    log.info("%s: no lock there (%s)", waiting, error.strerror)
                break
            yield
    finally:
        with suppress(OSError):
            waiting.rmdir()


def _note(folder: Path, found: dict[str, str]) -> None:
    write_sealed(folder / DONE, found, depth=1)  # whatever the folder is called


def _noted(done: Path) -> dict[str, str]:
    """What was fetched before. Raises StockpotError for a note that is damaged: which files are
    whole is then not known."""
    try:
        content = done.read_bytes()
        earlier = _without_seal(content)
        if earlier is not None:
            with suppress(StockpotError):  # of a disk that is read only
                _note(done.parent, earlier)
            return earlier
        return unsealed(content, done)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        move = shlex.join(["mv", str(done.parent), f"{done.parent}.damaged"])
        raise StockpotError(
            f"{done}: damaged ({reason})",
            advice=f"{move} and the same command fetches all of it again",
        ) from error


def _without_seal(content: bytes) -> dict[str, str] | None:
    """A note as earlier versions wrote it: file name -> sha256 and nothing else; else None."""
    try:
        note = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(note, dict):
        return None
    is_earlier = all(
        isinstance(digest, str)
        and re.fullmatch("[0-9a-f]{64}", digest)
        and name != SEAL
        for name, digest in note.items()
    )
    return note if is_earlier else None


def _own(folder: Path, into: str) -> None:
    """Make a folder below ours, which says that it is ours before anything else is in it."""
    if not (folder / DONE).exists():
        _note(folder, {})
    (folder / into).mkdir(parents=True, exist_ok=True)


def _put(file: Path, target: Path, sha256: str) -> None:
    """Give a plain file its place; a stopped call may have done so."""
    if not os.path.lexists(target):
        file.rename(target)
    elif not target.is_file() or sha256_file(target) != sha256:
        raise _in_the_way(target, file)


def _move(whole: Path, folder: Path) -> None:
    for path in sorted(whole.iterdir()):
        target = folder / path.name
        if os.path.lexists(target):
            raise _in_the_way(target, path)
        path.rename(target)


def _in_the_way(target: Path, path: Path) -> StockpotError:
    return StockpotError(
        f"{target}: is there already; move it away to put {path} there"
    )
