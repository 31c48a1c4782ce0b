"""ImageNet-Vid-Robust (Shankar et al., 2021): similar video frames, each with its own labels.

The likeliest of the ImageNet classes that a class merges answers for it.
"""

from pydantic import Field

from . import Source
from ._options import Encoded, Frames
from ._published import Published, column, merged, named, read_json, reading
from ._video import of_sets


class Options(Encoded, Frames):
    path: str = Field(
        "data/imagenet-vid-robust", description="folder of the unpacked archive"
    )


SOURCE = Source(options=Options, seeded=False)

IMAGES = {"pm-0": 1109, "pm-10": 22179}

SET = Published(
    column("imagenet_vid_robust"),
    named("imagenet_vid_robust"),
    lambda entry: [IMAGES[entry["frames"]]],
    tops=("imagenet_vid_ytbb_robust/imagenet-vid-robust", "imagenet-vid-robust"),
    watched=lambda entry: ("metadata/labels.json", "metadata/pmsets.json", "val/"),
    merged=merged("imagenet_vid_robust"),
)


def prepare(spec):
    root = SET.root(spec["path"])
    labels, sets = (
        read_json(root / f"metadata/{name}.json") for name in ("labels", "pmsets")
    )
    with reading(root / "metadata/labels.json"):
        found = [
            [(frame, labels[frame]) for frame in [anchor, *sets[anchor]]]
            for anchor in sorted(sets)
        ]
    return of_sets(SET, root, found, spec["frames"])
