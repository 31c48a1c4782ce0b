"""ImageNetV2, matched frequency (Recht et al., 2019): folders 0 to 999 are rows of ImageNet."""

from ._published import Published, column, in_folders, named

OPTIONS = {
    "path": {
        "description": "folder of the unpacked archive",
        "type": "string",
        "default": "data/imagenet-v2",
    },
}
ENCODED = True
SEEDED = False
ARCHIVES = [
    {
        "url": "https://huggingface.co/datasets/vaishaal/ImageNetV2/resolve/main/"
        "imagenetv2-matched-frequency.tar.gz",
        "checksum": "sha256:f0c37fdf925916b19ea1323cd9a2208cdb6959ba2c32eef2a7fc393835c9ca7c",
        "size": 1264079360,
        "into": "",
    }
]

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
