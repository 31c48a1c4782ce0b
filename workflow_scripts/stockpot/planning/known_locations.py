"""Where the files of data sets were when they were first used: a folder may be renamed since.

The path of a user's own data is part of the name of what is made of them. If the path is another
one now but leads to the very same files (inodes, sizes and times of each), the name stays, and
nothing is made again. Files that were copied are others.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..datasets import sources
from ..datasets.sources._own import matching_files
from ..runtime.digest import short
from ..runtime.errors import StockpotError
from ..runtime.sealed import unsealed, write_sealed
from .data_jobs import PreparedDataset
from .jobs import Locate

if TYPE_CHECKING:
    from .plan import Plan

FILE = Path("results/.data-places.json")
LOCATION_KEYS = (
    "path",
    "image_folder",
)  # keys of an entry that say where its files are


class FirstLocation(NamedTuple):
    """Where a data set was first, which its artefacts have in their names.

    Attributes:
        entry: The keys of its entry of the config that say so.
        facts: The same of what its source knows of its files.
    """

    entry: dict[str, str]
    facts: dict[str, str]


class KnownLocations:
    """Where the data sets of earlier runs were.

    Attributes:
        by_dataset: Digest of what a data set is asked to be -> digest of a location -> entry, facts
            and digest of the files there. This is the content of the file.
    """

    def __init__(self, file: Path = FILE):
        """Read what was noted; nothing is known if the file is missing or damaged.

        Args:
            file: Where it was noted.
        """
        self.by_dataset: dict[str, dict[str, Any]] = {}
        # Without the file all data sets count as new, and some of them may be made again.
        with suppress(OSError, ValueError):
            self.by_dataset = unsealed(file.read_bytes(), file)

    def first_location(
        self,
        name: str,
        entry: dict[str, Any],
        locate: Locate,
    ) -> FirstLocation | None:
        """Find where the files of an entry were when they were first used.

        Args:
            name: Of the data set.
            entry: Of the config.
            locate: Path given in the config -> where the file is.

        Returns:
            None for files that were nowhere else before.
        """
        known = self.by_dataset.get(_dataset_key(name, entry), {})
        location = known.get(_location_key(entry))
        if location is None and known:
            # The path is a new one. All files are looked at only then.
            digest = files_digest(entry, locate)
            location = _with_files(known.values(), digest)
        if location is None:
            return None
        return FirstLocation(location["entry"], location["facts"])

    def add(
        self,
        name: str,
        entry: dict[str, Any],
        location: dict[str, Any],
    ) -> None:
        """Note where the files of an entry are now.

        Args:
            name: Of the data set.
            entry: Of the config.
            location: Entry and facts of the first location, and the digest of the files.
        """
        known = self.by_dataset.setdefault(_dataset_key(name, entry), {})
        known[_location_key(entry)] = location


def _with_files(
    locations: Iterable[dict[str, Any]],
    digest: str,
) -> dict[str, Any] | None:
    """The first of these locations that had the very same files."""
    for location in locations:
        if location["files"] == digest:
            return location
    return None


def remember_locations(
    plan: "Plan",
    file: Path = FILE,
) -> None:
    """Note where the files of the data sets of a plan are now, as it begins to run.

    Nothing is noted of files that are gone, and nothing at all where the file cannot be written.

    Args:
        plan: The plan.
        file: Where it is noted.
    """
    known = KnownLocations(file)
    for job in plan.datasets.values():
        entry = plan.config["datasets"][job.name]
        # Only folders of a user's own data are renamed.
        if not isinstance(job, PreparedDataset) or not sources.reads_user_files(
            entry["source"]
        ):
            continue
        try:
            digest = files_digest({**entry, **job.current_paths}, Path)
        except (OSError, StockpotError):
            continue  # gone since; the job will say so
        location = {
            "entry": job.first_paths,
            "facts": location_of(job.spec),
            "files": digest,
        }
        known.add(job.name, entry, location)
    with suppress(OSError, StockpotError):
        write_sealed(file, known.by_dataset)


def location_of(values: dict[str, Any]) -> dict[str, str]:
    """Take what says where files are of an entry, or of the facts of its source.

    Args:
        values: The entry, or the facts.

    Returns:
        Key -> path, of the keys that are there.
    """
    location = {}
    for key in LOCATION_KEYS:
        # An option that is not given is null.
        if isinstance(values.get(key), str):
            location[key] = values[key]
    return location


def files_digest(
    entry: dict[str, Any],
    locate: Locate,
) -> str:
    """Digest what stands for the files of an entry, without reading them.

    Args:
        entry: Of the config.
        locate: Path given in the config -> where the file is.

    Returns:
        Digest of name, device, inode, size and times of every file.

    Raises:
        OSError: A file is missing.
        StockpotError: The source cannot tell its files.
    """
    path = locate(entry["path"])
    # Names count below the folder, which may be renamed itself.
    root = path if path.is_dir() else path.parent
    identities = []
    for file in _files(entry, locate):
        stat = os.stat(file)
        identity = [
            os.path.relpath(file, root),
            stat.st_dev,
            stat.st_ino,
            stat.st_size,
            # A file that is changed in place keeps its inode; one of its times tells.
            stat.st_mtime_ns,
            stat.st_ctime_ns,
        ]
        identities.append(identity)
    return short(identities)


def _files(
    entry: dict[str, Any],
    locate: Locate,
) -> Sequence[str | Path]:
    """All files that an entry reads."""
    source = entry["source"]
    path = locate(entry["path"])
    # All other sources of own data read one file, or the archives of a folder.
    if source not in ("folder", "csv"):
        pattern = sources.with_defaults(entry).get("glob", "*.tar")
        return matching_files(path, pattern)
    images = [file for file, _ in sources.ask_source("byte_positions", entry, locate)]
    # The table itself is read as well.
    if source == "csv":
        return [path, *images]
    return images


def _dataset_key(
    name: str,
    entry: dict[str, Any],
) -> str:
    """Digest of what a data set is asked to be, wherever its files are."""
    # Options that follow from defaults count as if they were given.
    asked = {}
    for key, value in sources.with_defaults(entry).items():
        if key not in LOCATION_KEYS:
            asked[key] = value
    return short([name, asked])


def _location_key(entry: dict[str, Any]) -> str:
    """Digest of where the config says that the files are."""
    return short([entry.get(key) for key in LOCATION_KEYS])
