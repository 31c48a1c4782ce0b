"""Describable Textures (Cimpoi et al., 2014), release 1.0.1, in ten partitions."""

from typing import Literal

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded, Partition
from ._published import Published, column, named, read_lines


class Options(Encoded, Download):
    part: Literal["train", "val", "test"] = Field(description="the published part")
    partition: Partition = 1
    path: str = Field("data/dtd", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
            checksum="md5:fff73e5086ae6bdbea199a49dfb8a4c1",
            size=625239812,
            into="",
        ),
    ),
)


SET = Published(
    column("dtd"),
    named("dtd"),
    lambda entry: [40] * 47,
    tops=("dtd",),
    watched=lambda entry: (_list(entry), "images/*/"),
    part=("part",),
    split=("partition",),
)


def prepare(spec):
    root = SET.root(spec["path"])
    lines = read_lines(root / _list(spec))
    return SET.listed(root / "images", [(line, line.split("/")[0]) for line in lines])


def _list(entry) -> str:
    return f"labels/{entry['part']}{entry['partition']}.txt"
