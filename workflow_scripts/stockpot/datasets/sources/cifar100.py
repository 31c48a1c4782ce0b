"""CIFAR-100 (Krizhevsky, 2009) from its binary archive: records of two labels and pixels."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from . import Archive, PrepareSpec, Source
from ._options import Download, Encoded
from ._published import Published, class_column, in_records, prompt_names

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``cifar100``."""

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

# Images of each of the 100 classes; a part is one file.
IMAGES_PER_CLASS = {"train": 500, "test": 100}

# A record has two labels: one of 20 coarse classes, and one of the 100 classes.
SET = Published(
    class_names=class_column("cifar100"),
    prompt_names=prompt_names("cifar100"),
    image_counts=lambda entry: [IMAGES_PER_CLASS[entry["part"]]] * 100,
    top_folders=("cifar-100-binary",),
    watched=lambda entry: (f"{entry['part']}.bin",),
    part_options=("part",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """Read the images of one part.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the file.

    Raises:
        StockpotError: The file is missing or cut short.
    """
    file = SET.root(spec["path"]) / f"{spec['part']}.bin"
    # The label of the 20 coarse classes comes first.
    return in_records(SET, [file], labels=2)
