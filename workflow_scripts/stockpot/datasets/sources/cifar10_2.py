"""CIFAR-10.2, its test images (Lu et al., 2020): one file of NumPy arrays."""

from typing import TYPE_CHECKING

from pydantic import Field

from . import PrepareSpec, Source
from ._options import Encoded
from ._published import Published, class_column, in_arrays, prompt_names, reading

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded):
    """Options of the source ``cifar10-2``."""

    path: str = Field("data/cifar10-2", description="folder of cifar102_test.npz")


SOURCE = Source(options=Options, seeded=False)

FILE = "cifar102_test.npz"

# 2,000 test images, balanced over the classes of CIFAR-10.
SET = Published(
    class_names=class_column("cifar10"),
    prompt_names=prompt_names("cifar10"),
    image_counts=lambda entry: [200] * 10,
    top_folders=("cifar-10.2",),
    watched=lambda entry: (FILE,),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """Read the images.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the file.

    Raises:
        StockpotError: The file is missing, or holds other arrays.
    """
    import numpy as np

    file = SET.root(spec["path"]) / FILE
    with reading(file), np.load(file, allow_pickle=False) as arrays:
        return in_arrays(
            SET,
            file,
            arrays["images"],
            arrays["labels"],
        )
