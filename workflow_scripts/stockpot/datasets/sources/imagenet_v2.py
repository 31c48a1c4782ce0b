"""ImageNetV2, matched frequency (Recht et al., 2019): folders 0 to 999 are rows of ImageNet."""

from typing import TYPE_CHECKING

from pydantic import Field

from . import Archive, PrepareSpec, Source
from ._options import Download, Encoded
from ._published import Published, class_column, in_folders, prompt_names

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``imagenet-v2``."""

    path: str = Field("data/imagenet-v2", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://huggingface.co/datasets/vaishaal/ImageNetV2/resolve/main/"
            "imagenetv2-matched-frequency.tar.gz",
            checksum="sha256:f0c37fdf925916b19ea1323cd9a2208cdb6959ba2c32eef2a7fc393835c9ca7c",
            size=1264079360,
            into="",
        ),
    ),
)

# 10 images of each class.
SET = Published(
    class_names=class_column("imagenet"),
    prompt_names=prompt_names("imagenet"),
    image_counts=lambda entry: [10] * 1000,
    top_folders=("imagenetv2-matched-frequency-format-val",),
    watched=lambda entry: ("[0-9]*/",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images, sorted by folder name and path.

    Raises:
        StockpotError: There is no image, or a folder of no class.
    """
    root = SET.root(spec["path"])
    # Folder 7 holds the class with index 7, and so on.
    folders = {}
    for index, name in enumerate(SET.class_names):
        folders[str(index)] = name
    return SET.listed(root, in_folders(root, folders))
