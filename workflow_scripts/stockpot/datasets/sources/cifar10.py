"""CIFAR-10 (Krizhevsky, 2009) from its binary archive: records of a label and pixels."""

from typing import Literal

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, in_records, named


class Options(Encoded, Download):
    part: Literal["train", "test"] = Field(description="the published part")
    path: str = Field(
        "data/cifar10", description="folder of the unpacked binary archive"
    )


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            checksum="sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            size=170052171,
            into="",
        ),
    ),
)

FILES = {
    "train": [f"data_batch_{i}.bin" for i in range(1, 6)],
    "test": ["test_batch.bin"],
}

SET = Published(
    column("cifar10"),
    named("cifar10"),
    lambda entry: [len(FILES[entry["part"]]) * 1000] * 10,
    tops=("cifar-10-batches-bin",),
    watched=lambda entry: FILES[entry["part"]],
    part=("part",),
)


def prepare(spec):
    root = SET.root(spec["path"])
    return in_records(SET, [root / file for file in FILES[spec["part"]]], labels=1)
