"""Where the files of data sets were when they were first used: a folder may be renamed since.

The path of a user's own data is part of the name of what is made of them. If the path is another
one now but leads to the very same files (inodes, sizes and times of each), the name stays, and
nothing is made again. Files that were copied are others.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..datasets import sources
from ..datasets.sources._own import files_of
from ..runtime.digest import short
from ..runtime.errors import StockpotError
from ..runtime.sealed import unsealed, write_sealed
from .data_jobs import PreparedDataset

if TYPE_CHECKING:
    from .plan import Plan

FILE = Path("results/.data-places.json")
PLACES = ("path", "images")  # keys of an entry that say where its files are

Locate = Callable[[str], Path]


class KnownPlace(NamedTuple):
    """The places of a data set as its artefacts have them in their names.

    Attributes:
        entry: Those of its entry of the config.
        facts: Those that its source makes of them.
    """

    entry: dict[str, str]
    facts: dict[str, str]


class KnownPlaces:
    """The places of all data sets of earlier runs."""

    def __init__(self, file: Path = FILE):
        try:
            self._known = unsealed(file.read_bytes(), file)
        except (OSError, ValueError):
            self._known = {}

    def original(self, name: str, entry: dict, locate: Locate) -> KnownPlace | None:
        """Where the files of an entry were first; None of files that were nowhere else."""
        known = self._known.get(_key(name, entry), {})
        here = known.get(_place(entry))
        if here is None and known:
            files = files_digest(entry, locate)
            same = [place for place in known.values() if place["files"] == files]
            here = same[0] if same else None
        return KnownPlace(here["entry"], here["facts"]) if here else None


def remember(plan: "Plan", file: Path = FILE) -> None:
    """Note where the files of the data sets of a plan are now, as it begins to run."""
    known = KnownPlaces(file)._known
    for job in plan.datasets.values():
        entry = plan.config["datasets"][job.name]
        if not isinstance(job, PreparedDataset) or not sources.is_own(entry["source"]):
            continue
        try:
            files = files_digest({**entry, **job.places}, Path)
        except (OSError, StockpotError):
            continue  # gone since; the job will say so
        place = {"entry": job.named, "facts": places(job.spec), "files": files}
        known.setdefault(_key(job.name, entry), {})[_place(entry)] = place
    with suppress(OSError, StockpotError):
        write_sealed(file, known)


def places(given: dict) -> dict[str, str]:
    """What of an entry, or of the facts of its source, says where its files are."""
    # Of drawn sets, images is a number.
    return {key: given[key] for key in PLACES if isinstance(given.get(key), str)}


def files_digest(entry: dict, locate: Locate) -> str:
    """Digest of names, sizes, times and inodes of the files that an entry reads."""
    path = locate(entry["path"])
    root = path if path.is_dir() else path.parent
    found = []
    for file in _files(entry, locate):
        stat = os.stat(file)
        times = [stat.st_mtime_ns, stat.st_ctime_ns]
        name = os.path.relpath(file, root)
        found.append([name, stat.st_dev, stat.st_ino, stat.st_size, *times])
    return short(found)


def _files(entry: dict, locate: Locate) -> list[str | Path]:
    source = entry["source"]
    path = locate(entry["path"])
    if source in ("folder", "csv"):
        images = [file for file, _ in sources.ask("places", entry, locate)]
        return images if source == "folder" else [path, *images]
    return files_of(path, sources.with_defaults(entry).get("glob", "*.tar"))


def _key(name: str, entry: dict) -> str:
    """What a data set is asked to be, wherever its files are."""
    asked = sources.with_defaults(entry)
    return short(
        [name, {key: value for key, value in asked.items() if key not in PLACES}]
    )


def _place(entry: dict) -> str:
    return short([entry.get(key) for key in PLACES])
