"""Food-101 (Bossard et al., 2014)."""

from typing import Literal

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, named, read_json, reading


class Options(Encoded, Download):
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


SET = Published(
    column("food101"),
    named("food101"),
    lambda entry: [{"train": 750, "test": 250}[entry["part"]]] * 101,
    tops=("food-101",),
    watched=lambda entry: (f"meta/{entry['part']}.json", "images/*/"),
    part=("part",),
)


def prepare(spec):
    root = SET.root(spec["path"])
    meta = root / f"meta/{spec['part']}.json"
    found = read_json(meta)
    with reading(meta):
        rows = [
            (f"{image}.jpg", name) for name in sorted(found) for image in found[name]
        ]
    return SET.listed(root / "images", rows)
