"""SUN397 (Xiao et al., 2010), in ten partitions: the archive with Partitions.zip beside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Entry, Facts, Locate, PrepareSpec, Source, with_defaults
from ._options import Encoded, Partition
from ._published import (
    LAYOUT,
    ImageRow,
    Published,
    class_column,
    prompt_names,
    read_lines,
    state_digest,
)

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded):
    """Options of the source ``sun397``."""

    part: Literal["train", "test"] = Field(description="the published part")
    partition: Partition = 1
    path: str = Field("data/sun397", description="folder of the two unpacked archives")


SOURCE = Source(options=Options, seeded=False)

# Every part of every partition has 50 images of each class.
SET = Published(
    class_names=class_column("sun397"),
    prompt_names=prompt_names("sun397"),
    image_counts=lambda entry: [50] * 397,
    top_folders=("SUN397",),
    watched=lambda entry: ("[a-z]/",),
    part_options=("part",),
    split_options=("partition",),
)


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Digest the state of the folders, and of the list of the part's images.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for errors.

    Returns:
        The facts of ``Published``, and "labels" -> a digest of the list's state.

    Raises:
        StockpotError: The folder or the list is missing.
    """
    known = SET.facts(entry, locate, key)
    file = _list_file(with_defaults(entry) | known)
    if not file.is_file():
        raise StockpotError(f"{key}.path: {file.parent} holds no {file.name}; {LAYOUT}")
    return {**known, "labels": state_digest(file.parent, [file])}


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part of one partition.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the published list.

    Raises:
        StockpotError: The list cannot be read, or names a wrong class.
    """
    rows: list[ImageRow] = []
    for line in read_lines(_list_file(spec)):
        # Each line is /<letter>/<class>/<file>; the class is all but the file, as published.
        path = line.lstrip("/")
        class_name, _, _ = line.rpartition("/")
        rows.append((path, class_name))
    return SET.listed(SET.root(spec["path"]), rows)


def _list_file(entry: Entry) -> Path:
    """What the part holds: a file of the folder itself, or of Partitions in it."""
    name = f"{entry['part'].title()}ing_{entry['partition']:02}.txt"
    folder = Path(entry["path"])
    partitions = folder / "Partitions"
    if partitions.is_dir():
        return partitions / name
    return folder / name
