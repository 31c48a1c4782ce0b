"""ImageNet-Vid-Robust (Shankar et al., 2021): similar video frames, each with its own labels.

The likeliest of the ImageNet classes that a class merges answers for it.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from . import PrepareSpec, Source
from ._options import Encoded, Frames
from ._published import (
    Published,
    class_column,
    imagenet_classes,
    prompt_names,
    read_json,
    reading,
)
from ._video import of_sets

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Frames):
    """Options of the source ``imagenet-vid-robust``."""

    path: str = Field(
        "data/imagenet-vid-robust", description="folder of the unpacked archive"
    )


SOURCE = Source(options=Options, seeded=False)

# Anchors, and all frames.
IMAGES = {"pm-0": 1109, "pm-10": 22179}

# Each of its 30 classes of objects stands for one or several classes of ImageNet.
SET = Published(
    class_names=class_column("imagenet_vid_robust"),
    prompt_names=prompt_names("imagenet_vid_robust"),
    image_counts=lambda entry: [IMAGES[entry["frames"]]],
    top_folders=("imagenet_vid_ytbb_robust/imagenet-vid-robust", "imagenet-vid-robust"),
    watched=lambda entry: ("metadata/labels.json", "metadata/pmsets.json", "val/"),
    merged=imagenet_classes("imagenet_vid_robust"),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the anchors, or all frames around them.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The frames, sorted by anchor.

    Raises:
        StockpotError: The metadata cannot be read, or has a wrong label.
    """
    root = SET.root(spec["path"])
    label_file = root / "metadata/labels.json"
    labels_of = read_json(label_file)  # frame -> labels
    neighbours_of = read_json(root / "metadata/pmsets.json")  # anchor -> other frames
    sets = []
    with reading(label_file):
        for anchor in sorted(neighbours_of):
            frames = [anchor, *neighbours_of[anchor]]
            sets.append([(frame, labels_of[frame]) for frame in frames])
    return of_sets(
        SET,
        root,
        sets,
        spec["frames"],
    )
