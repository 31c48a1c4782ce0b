"""Food-101 (Bossard et al., 2014)."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from . import Archive, PrepareSpec, Source
from ._options import Download, Encoded
from ._published import (
    ImageRow,
    Published,
    class_column,
    prompt_names,
    read_json,
    reading,
)

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``food101``."""

    part: Literal["train", "test"] = Field(description="the published part")
    path: str = Field("data/food101", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="http://data.vision.ee.ethz.ch/cvl/food-101.tar.gz",
            checksum="md5:85eeb15f3717b99a5da872d97d918f87",
            size=4996278331,
            into="",
        ),
    ),
)

# Images of each of the 101 classes.
IMAGES_PER_CLASS = {"train": 750, "test": 250}

# The lists of meta name the images of a part, by class.
SET = Published(
    class_names=class_column("food101"),
    prompt_names=prompt_names("food101"),
    image_counts=lambda entry: [IMAGES_PER_CLASS[entry["part"]]] * 101,
    top_folders=("food-101",),
    watched=lambda entry: (f"meta/{entry['part']}.json", "images/*/"),
    part_options=("part",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images, sorted by class.

    Raises:
        StockpotError: The published list cannot be read, or has a wrong class.
    """
    root = SET.root(spec["path"])
    file = root / f"meta/{spec['part']}.json"
    images_of = read_json(file)  # class -> paths without suffix
    rows: list[ImageRow] = []
    with reading(file):
        for name in sorted(images_of):
            rows += [(f"{image}.jpg", name) for image in images_of[name]]
    return SET.listed(root / "images", rows)
