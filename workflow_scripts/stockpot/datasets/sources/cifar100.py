"""CIFAR-100 (Krizhevsky, 2009) from its binary archive: records of two labels and pixels."""

from typing import Literal

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, in_records, named


class Options(Encoded, Download):
    part: Literal["train", "test"] = Field(description="the published part")
    path: str = Field(
        "data/cifar100", description="folder of the unpacked binary archive"
    )


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
            checksum="sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            size=168513733,
            into="",
        ),
    ),
)

IMAGES = {"train": 500, "test": 100}

SET = Published(
    column("cifar100"),
    named("cifar100"),
    lambda entry: [IMAGES[entry["part"]]] * 100,
    tops=("cifar-100-binary",),
    watched=lambda entry: (f"{entry['part']}.bin",),
    part=("part",),
)


def prepare(spec):
    # The label of the 20 coarse classes comes first.
    return in_records(SET, [SET.root(spec["path"]) / f"{spec['part']}.bin"], labels=2)
