"""FMoW-WILDS 1.1 (Christie et al., 2018; Koh et al., 2021): land use from above, by region.

Scored by the accuracy in the worst region where images are later than the training images, by
plain accuracy where they are not. Images of no region, "Other", count for the latter alone.
"""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from . import Source
from ._options import Encoded
from ._published import Published, column, even, named, read_csv, reading


class Options(Encoded):
    part: Literal["train", "id-val", "id-test", "val", "test"] = Field(
        description="the published part"
    )
    path: str = Field("data/fmow", description="folder of the unpacked archive")
    metric: Literal["accuracy", "worst-group"] | None = Field(
        None, description="by default worst-group for val and test, else accuracy"
    )


SOURCE = Source(options=Options, seeded=False)


# FMoW's own split, the years from one to before the other, and images.
PARTS = {
    "train": ("train", 0, 2013, 76863),
    "id-val": ("val", 0, 2013, 11483),
    "id-test": ("test", 0, 2013, 11327),
    "val": ("val", 2013, 2016, 19915),
    "test": ("test", 2016, 9999, 22108),
}
REGIONS = ["Asia", "Europe", "Africa", "Americas", "Oceania"]
NO_REGION = -1

SET = Published(
    column("fmow"),
    named("fmow"),
    lambda entry: even(PARTS[entry["part"]][-1], 62),
    tops=("fmow_v1.1",),
    watched=lambda entry: ("rgb_metadata.csv", "country_code_mapping.csv", "images/"),
    part=("part",),
)


def prepare(spec):
    root, part = SET.root(spec["path"]), spec["part"]
    split, first, end, _ = PARTS[part]
    regions = dict(read_csv(root / "country_code_mapping.csv", "alpha-3", "region"))
    rows, groups = [], []
    metadata, columns = root / "rgb_metadata.csv", ("split", "timestamp", "category")
    # File numbers count every row, those of the split "seq" too, of which there are no files.
    for number, (own, time, category, country) in enumerate(
        read_csv(metadata, *columns, "country_code")
    ):
        if own == split and first <= _year(time, metadata) < end:
            region = regions.get(country)
            groups.append(REGIONS.index(region) if region in REGIONS else NO_REGION)
            rows.append((f"images/rgb_img_{number}.png", category))
    metric = spec["metric"] or (
        "worst-group" if part in ("val", "test") else "accuracy"
    )
    return SET.listed(root, rows, metric=metric, groups=groups)


def _year(time: str, file) -> int:
    with reading(file):
        when = datetime.fromisoformat(time)
    return (when.astimezone(UTC) if when.tzinfo else when).year
