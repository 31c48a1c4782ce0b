"""ImageNet-Sketch (Wang et al., 2019): a folder per WordNet id."""

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, class_column, prompt_names, spread_evenly


class Options(Encoded, Download):
    """Options of the source ``imagenet-sketch``."""

    path: str = Field(
        "data/imagenet-sketch", description="folder of the unpacked archive"
    )


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://huggingface.co/datasets/songweig/imagenet_sketch/resolve/main/data/"
            "ImageNet-Sketch.zip",
            checksum="sha256:4d3ce6b82a7c48aabf14aeac105eb533e75707f152cc858f55bfc022031a72ed",
            size=7593573012,
            into="",
        ),
    ),
)

# 50,889 images of all 1,000 classes.
SET = Published(
    class_names=class_column("imagenet"),
    prompt_names=prompt_names("imagenet"),
    image_counts=lambda entry: spread_evenly(50889, 1000),
    top_folders=("sketch",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
