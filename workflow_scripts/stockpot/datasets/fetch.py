"""Fetch a published data set: archives that are checked and unpacked into one folder."""

import json
import logging
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import StockpotError
from ..files import atomic
from .download import download
from .unpack import unpack

log = logging.getLogger(__name__)

DONE = ".fetched.json"
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".zip")


def fetch(spec: dict) -> dict[str, str]:
    """File name -> sha256 of all that was fetched into the folder, in this call or before.

    spec: path, of the folder; archives: url, checksum, size, into (a folder below, or "") each;
    mirror: where files of the same names lie instead, or "". A folder that somebody else filled
    is left alone. A stopped call goes on with the file that it was at. Raises StockpotError as
    ``download`` and ``unpack`` do, and where two archives bring the same name.
    """
    folder = Path(spec["path"]).resolve()
    done = folder / DONE
    if folder.exists() and not done.exists() and any(folder.iterdir()):
        log.info("%s is there already; nothing is fetched", folder)
        return {}
    found = json.loads(done.read_text()) if done.exists() else {}
    waiting = folder.with_name(f"{folder.name}.downloads")
    for archive in spec["archives"]:
        name = urlsplit(archive["url"]).path.rpartition("/")[2]
        file, whole = waiting / name, waiting / f"{name}.unpacked"
        if name not in found:
            url = f"{spec['mirror'].rstrip('/')}/{name}" if spec["mirror"] else archive["url"]
            found[name] = download(url, file, archive["checksum"], archive["size"])
            if not name.endswith(ARCHIVES):
                _own(folder, archive["into"])
                file.replace(folder / archive["into"] / name)
            else:
                if not whole.exists():  # else a stopped call unpacked it
                    log.info("unpacking %s for %s", file, folder / archive["into"])
                    unpack(file, whole)
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
    if waiting.exists() and not any(waiting.iterdir()):
        waiting.rmdir()
    return found


def _note(folder: Path, found: dict[str, str]) -> None:
    with atomic(folder / DONE) as path:
        path.write_text(json.dumps(found, indent=1) + "\n")


def _own(folder: Path, into: str) -> None:
    """Make a folder below ours, which says that it is ours before anything else is in it."""
    if not (folder / DONE).exists():
        _note(folder, {})
    (folder / into).mkdir(parents=True, exist_ok=True)


def _move(whole: Path, folder: Path) -> None:
    for path in sorted(whole.iterdir()):
        target = folder / path.name
        if target.exists():
            raise StockpotError(f"{target}: is there already; move it away to put {path} there")
        path.rename(target)
