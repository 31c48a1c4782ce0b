"""Fetch a published data set: archives that are checked and unpacked into one folder."""

import json
import logging
from pathlib import Path

from ..files import atomic
from .download import download
from .unpack import unpack

log = logging.getLogger(__name__)

DONE = ".fetched.json"
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".zip")


def fetch(spec: dict) -> dict[str, str]:
    """URL -> sha256 of all that is in the folder now; what is there already is not fetched again.

    spec: path, of the folder; archives: url, checksum, size, into (a folder below, or "") each;
    mirror: where files of the same names lie instead, or "". A folder that somebody else filled
    is left alone. Raises StockpotError as ``download`` and ``unpack`` do.
    """
    folder = Path(spec["path"])
    done = folder / DONE
    if folder.exists() and not done.exists() and any(folder.iterdir()):
        log.info("%s is there already; nothing is fetched", folder)
        return {}
    found = json.loads(done.read_text()) if done.exists() else {}
    waiting = folder.with_name(f"{folder.name}.downloads")
    if len(spec["archives"]) > 1:
        _note(done, found)  # whose the folder is, before the first of several is in it
    for archive in spec["archives"]:
        name = archive["url"].rpartition("/")[2]
        if name not in found:
            url = f"{spec['mirror'].rstrip('/')}/{name}" if spec["mirror"] else archive["url"]
            sha256 = download(url, waiting / name, archive["checksum"], archive["size"])
            _place(waiting / name, folder / archive["into"])
            found[name] = sha256
            _note(done, found)
    if waiting.exists() and not any(waiting.iterdir()):
        waiting.rmdir()
    return found


def _note(done: Path, found: dict[str, str]) -> None:
    with atomic(done) as path:
        path.write_text(json.dumps(found, indent=1) + "\n")


def _place(file: Path, folder: Path) -> None:
    """Unpack an archive into a new folder, or move another file into one; the download is gone."""
    if file.name.endswith(ARCHIVES):
        log.info("unpacking %s to %s", file, folder)
        unpack(file, folder)
        file.unlink()
    else:
        folder.mkdir(parents=True, exist_ok=True)
        file.replace(folder / file.name)
