"""FMoW-WILDS 1.1 (Christie et al., 2018; Koh et al., 2021): land use from above, by region.

Scored by the accuracy in the worst region where images are later than the training images, by
plain accuracy where they are not. Images of no region, "Other", count only for the latter.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import Field

from . import PrepareSpec, Source
from ._options import Encoded
from ._published import (
    ImageRow,
    Published,
    class_column,
    prompt_names,
    read_csv,
    reading,
    spread_evenly,
)

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded):
    """Options of the source ``fmow``."""

    part: Literal["train", "id-val", "id-test", "val", "test"] = Field(
        description="the published part"
    )
    path: str = Field("data/fmow", description="folder of the unpacked archive")
    metric: Literal["accuracy", "worst-group"] | None = Field(
        None, description="null: worst-group for val and test, else accuracy"
    )


SOURCE = Source(options=Options, seeded=False)


class Part(NamedTuple):
    """A published part: images of one of FMoW's own splits, from some years.

    Attributes:
        split: FMoW's own split.
        first_year: The first year.
        end_year: The year after the last one.
        images: Number of images.
    """

    split: str
    first_year: int
    end_year: int
    images: int


# "id": from the years of the training images, so in their distribution.
PARTS = {
    "train": Part("train", 0, 2013, 76863),
    "id-val": Part("val", 0, 2013, 11483),
    "id-test": Part("test", 0, 2013, 11327),
    "val": Part("val", 2013, 2016, 19915),
    "test": Part("test", 2016, 9999, 22108),
}
# Their order gives the numbers of the groups.
REGIONS = ["Asia", "Europe", "Africa", "Americas", "Oceania"]
NO_REGION = -1
# Parts that are later than the training images.
LATER_PARTS = ("val", "test")
# Columns of rgb_metadata.csv.
COLUMNS = ("split", "timestamp", "category", "country_code")

SET = Published(
    class_names=class_column("fmow"),
    prompt_names=prompt_names("fmow"),
    image_counts=lambda entry: spread_evenly(PARTS[entry["part"]].images, 62),
    top_folders=("fmow_v1.1",),
    watched=lambda entry: ("rgb_metadata.csv", "country_code_mapping.csv", "images/"),
    part_options=("part",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part with their regions.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the metadata.

    Raises:
        StockpotError: The metadata cannot be read, or has a wrong class.
    """
    root = SET.root(spec["path"])
    part = PARTS[spec["part"]]
    region_of = dict(read_csv(root / "country_code_mapping.csv", "alpha-3", "region"))
    metadata = root / "rgb_metadata.csv"
    rows: list[ImageRow] = []
    groups: list[int] = []
    # File numbers count every row, those of the split "seq" too, of which there are no files.
    for number, values in enumerate(read_csv(metadata, *COLUMNS)):
        split, timestamp, category, country = values
        if split != part.split:
            continue
        if not part.first_year <= _year(timestamp, metadata) < part.end_year:
            continue
        # The worst region is looked for among the five; "Other" is none of them.
        region = region_of.get(country)
        groups.append(REGIONS.index(region) if region in REGIONS else NO_REGION)
        rows.append((f"images/rgb_img_{number}.png", category))
    metric = spec["metric"]
    if not metric:
        metric = "worst-group" if spec["part"] in LATER_PARTS else "accuracy"
    return SET.listed(
        root,
        rows,
        metric=metric,
        groups=groups,
    )


def _year(timestamp: str, file: Path) -> int:
    """Year of an image, in UTC. file: what has the timestamp, for errors."""
    with reading(file):
        moment = datetime.fromisoformat(timestamp)
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return moment.year
