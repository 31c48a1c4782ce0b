"""ObjectNet (Barbu et al., 2019): the 113 of its 313 classes that ImageNet has.

The likeliest of the ImageNet classes that a class merges answers for it. The images' red border
is cut off. The licence forbids to tune anything on them.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from . import PrepareSpec, Source
from ._options import Encoded
from ._published import (
    Published,
    class_column,
    imagenet_classes,
    in_folders,
    prompt_names,
    spread_evenly,
)

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded):
    """Options of the source ``objectnet``."""

    path: str = Field("data/objectnet", description="folder of the unpacked archive")


SOURCE = Source(options=Options, seeded=False)

# The red border marks the images as not for training.
BORDER = 2  # pixels

SET = Published(
    class_names=class_column("objectnet"),
    prompt_names=prompt_names("objectnet"),
    image_counts=lambda entry: spread_evenly(18574, 113),
    top_folders=("objectnet-1.0/images", "images"),
    merged=imagenet_classes("objectnet"),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of the 113 classes.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images, sorted by folder and path.

    Raises:
        StockpotError: There is no image.
    """
    root = SET.root(spec["path"])
    folders = dict(
        zip(class_column("objectnet", "folder"), SET.class_names, strict=True)
    )
    # The other folders are the 200 classes that ImageNet does not have.
    rows = in_folders(root, folders, others=True)
    return SET.listed(root, rows, BORDER)
