"""ImageNet-Sketch (Wang et al., 2019): a folder per WordNet id."""

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, even, named


class Options(Encoded, Download):
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


SET = Published(
    column("imagenet"),
    named("imagenet"),
    lambda entry: even(50889, 1000),
    tops=("sketch",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
