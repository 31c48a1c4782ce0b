"""ImageNet-A (Hendrycks et al., 2021): images that mislead; a folder per WordNet id."""

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, class_column, prompt_names, spread_evenly


class Options(Encoded, Download):
    """Options of the source ``imagenet-a``."""

    path: str = Field("data/imagenet-a", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://people.eecs.berkeley.edu/~hendrycks/imagenet-a.tar",
            checksum="sha256:3bb3632277e6ba6392ea64c02ddbf4dd2266c9caffd6bc09c9656d28f012589e",
            size=687552512,
            into="",
        ),
    ),
)

# 7,500 images of 200 of ImageNet's classes, which keep their names there.
SET = Published(
    class_names=class_column("imagenet_a"),
    prompt_names=prompt_names("imagenet"),
    image_counts=lambda entry: spread_evenly(7500, 200),
    top_folders=("imagenet-a",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
