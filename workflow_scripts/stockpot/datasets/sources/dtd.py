"""Describable Textures (Cimpoi et al., 2014), release 1.0.1, in ten partitions."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from . import Archive, Entry, PrepareSpec, Source
from ._options import Download, Encoded, Partition
from ._published import ImageRow, Published, class_column, prompt_names, read_lines

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``dtd``."""

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

# Every part of every partition has 40 images of each of the 47 classes.
SET = Published(
    class_names=class_column("dtd"),
    prompt_names=prompt_names("dtd"),
    image_counts=lambda entry: [40] * 47,
    top_folders=("dtd",),
    watched=lambda entry: (_list_file(entry), "images/*/"),
    part_options=("part",),
    split_options=("partition",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part of one partition.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the published list.

    Raises:
        StockpotError: The list cannot be read, or names a wrong class.
    """
    root = SET.root(spec["path"])
    # Each line is <class>/<file>.
    rows: list[ImageRow] = []
    for line in read_lines(root / _list_file(spec)):
        class_name = line.split("/")[0]
        rows.append((line, class_name))
    return SET.listed(root / "images", rows)


def _list_file(entry: Entry) -> str:
    return f"labels/{entry['part']}{entry['partition']}.txt"
