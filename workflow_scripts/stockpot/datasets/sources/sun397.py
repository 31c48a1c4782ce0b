"""SUN397 (Xiao et al., 2010), in ten partitions: the archive with Partitions.zip beside it."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Source, with_defaults
from ._options import Encoded, Partition
from ._published import LAYOUT, Published, changes, column, named, read_lines


class Options(Encoded):
    part: Literal["train", "test"] = Field(description="the published part")
    partition: Partition = 1
    path: str = Field("data/sun397", description="folder of the two unpacked archives")


SOURCE = Source(options=Options, seeded=False)


SET = Published(
    column("sun397"),
    named("sun397"),
    lambda entry: [50] * 397,
    tops=("SUN397",),
    watched=lambda entry: ("[a-z]/",),
    part=("part",),
    split=("partition",),
)


def facts(entry, locate, key):
    found = SET.facts(entry, locate, key)
    file = _list(with_defaults(entry) | found)
    if not file.is_file():
        raise StockpotError(f"{key}.path: {file.parent} holds no {file.name}; {LAYOUT}")
    return {**found, "labels": changes(file.parent, [file])}


def prepare(spec):
    rows = [
        (line.lstrip("/"), line.rpartition("/")[0]) for line in read_lines(_list(spec))
    ]
    return SET.listed(SET.root(spec["path"]), rows)


def _list(entry) -> Path:
    """What the part holds: a file of the folder itself, or of Partitions in it."""
    name = f"{entry['part'].title()}ing_{entry['partition']:02}.txt"
    own = Path(entry["path"]) / "Partitions"
    return (own if own.is_dir() else own.parent) / name
