"""ImageNet-R (Hendrycks et al., 2021): renditions; a folder per WordNet id."""

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, class_column, prompt_names, spread_evenly


class Options(Encoded, Download):
    """Options of the source ``imagenet-r``."""

    path: str = Field("data/imagenet-r", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://people.eecs.berkeley.edu/~hendrycks/imagenet-r.tar",
            checksum="sha256:18c6bf493b39a0d975d48e587437f562caab9c52ae6327dcfa9dd8eb54aa1b52",
            size=2191079936,
            into="",
        ),
    ),
)

# 30,000 images of 200 of ImageNet's classes, which keep their names there.
SET = Published(
    class_names=class_column("imagenet_r"),
    prompt_names=prompt_names("imagenet"),
    image_counts=lambda entry: spread_evenly(30000, 200),
    top_folders=("imagenet-r",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
