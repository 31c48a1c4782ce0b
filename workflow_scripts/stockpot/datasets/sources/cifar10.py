"""CIFAR-10 (Krizhevsky, 2009) from its binary archive: records of a label and pixels."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from . import Archive, PrepareSpec, Source
from ._options import Download, Encoded
from ._published import Published, class_column, in_records, prompt_names

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``cifar10``."""

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

# Binary files of 10,000 records each.
FILES = {
    "train": [f"data_batch_{number}.bin" for number in range(1, 6)],
    "test": ["test_batch.bin"],
}

# Each file has 1,000 images of each of the 10 classes.
SET = Published(
    class_names=class_column("cifar10"),
    prompt_names=prompt_names("cifar10"),
    image_counts=lambda entry: [len(FILES[entry["part"]]) * 1000] * 10,
    top_folders=("cifar-10-batches-bin",),
    watched=lambda entry: FILES[entry["part"]],
    part_options=("part",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """Read the images of one part.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the files.

    Raises:
        StockpotError: A file is missing or cut short.
    """
    root = SET.root(spec["path"])
    files = [root / name for name in FILES[spec["part"]]]
    return in_records(SET, files, labels=1)
