"""CIFAR-10.1, version 6 (Recht et al., 2018): two NumPy arrays."""

from typing import TYPE_CHECKING

from pydantic import Field

from . import Archive, PrepareSpec, Source
from ._options import Download, Encoded
from ._published import Published, class_column, in_arrays, prompt_names, reading

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``cifar10-1``."""

    path: str = Field(
        "data/cifar10-1",
        description="folder of the two files, or of a clone of their repository",
    )


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://github.com/modestyachts/CIFAR-10.1/raw/master/datasets/"
            "cifar10.1_v6_data.npy",
            checksum="sha256:2997188e5816f5bd545dc77771b6227828c28146049fcecf3fa10775474cacc6",
            size=6144128,
            into="",
        ),
        Archive(
            url="https://github.com/modestyachts/CIFAR-10.1/raw/master/datasets/"
            "cifar10.1_v6_labels.npy",
            checksum="sha256:ae40beda001693674edc94d925ee8268cfe68905f8f9aff800c8dcdfcd6c9448",
            size=8128,
            into="",
        ),
    ),
)

# NumPy arrays of images and of labels, in one order.
IMAGE_FILE = "cifar10.1_v6_data.npy"
LABEL_FILE = "cifar10.1_v6_labels.npy"

# 2,000 images, balanced over the classes of CIFAR-10.
SET = Published(
    class_names=class_column("cifar10"),
    prompt_names=prompt_names("cifar10"),
    image_counts=lambda entry: [200] * 10,
    top_folders=("datasets",),
    watched=lambda entry: (IMAGE_FILE, LABEL_FILE),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """Read the images.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the file.

    Raises:
        StockpotError: A file is missing, or holds other arrays.
    """
    root = SET.root(spec["path"])
    images = _load(root / IMAGE_FILE)
    labels = _load(root / LABEL_FILE)
    return in_arrays(
        SET,
        root / IMAGE_FILE,
        images,
        labels,
    )


def _load(file: "Path") -> "np.ndarray":
    import numpy as np

    with reading(file):
        return np.load(file, allow_pickle=False)
