"""iWildCam-WILDS 2.0 (Beery et al., 2020; Koh et al., 2021): animals seen by camera traps.

Scored by the F1 score, averaged over the classes that a part has.
"""

from typing import Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, even, read_csv


class Options(Encoded, Download):
    part: Literal["train", "id-val", "id-test", "val", "test"] = Field(
        description="the published part"
    )
    path: str = Field("data/iwildcam", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://huggingface.co/datasets/emmilly/iwildcam-wilds-v2/resolve/main/"
            "iwildcam_v2.0.tar.gz",
            checksum="sha256:05c872f46eee44315f79bc90f4098c69ae3799a2b95116db02292ea1b4e370d2",
            size=11957415473,
            into="",
        ),
    ),
)

IMAGES = {"train": 129809, "id-val": 7314, "id-test": 8154, "val": 14961, "test": 42791}

# One name stands for two classes.
_LATIN = column("iwildcam")
CLASSES = [f"{n} ({y})" if _LATIN.count(n) > 1 else n for y, n in enumerate(_LATIN)]

SET = Published(
    CLASSES,
    dict(zip(CLASSES, column("iwildcam", "name"), strict=True)),
    lambda entry: even(IMAGES[entry["part"]], len(CLASSES)),
    tops=("iwildcam_v2.0",),
    watched=lambda entry: ("metadata.csv", "train/"),
    part=("part",),
)


def prepare(spec):
    root, split = SET.root(spec["path"]), spec["part"].replace("-", "_")
    metadata, known, rows = root / "metadata.csv", dict(enumerate(CLASSES)), []
    for own, y, filename in read_csv(metadata, "split", "y", "filename"):
        if own == split:
            if not y.isdecimal() or int(y) not in known:
                raise StockpotError(
                    f"{metadata}: {filename} has y {y!r}, not 0 to {len(CLASSES) - 1}"
                )
            # Images of every split lie there.
            rows.append((f"train/{filename}", known[int(y)]))
    return SET.listed(root, rows, metric="macro-f1")
