"""ImageNetV2, matched frequency (Recht et al., 2019): folders 0 to 999 are rows of ImageNet."""

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, in_folders, named


class Options(Encoded, Download):
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


SET = Published(
    column("imagenet"),
    named("imagenet"),
    lambda entry: [10] * 1000,
    tops=("imagenetv2-matched-frequency-format-val",),
    watched=lambda entry: ("[0-9]*/",),
)


def prepare(spec):
    folders = {str(row): wnid for row, wnid in enumerate(SET.class_names)}
    root = SET.root(spec["path"])
    return SET.listed(root, in_folders(root, folders))
