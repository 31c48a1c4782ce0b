"""ImageNet-Sketch (Wang et al., 2019): a folder per WordNet id."""

from ._published import Published, column, even, named

OPTIONS = {
    "path": {
        "description": "folder of the unpacked archive",
        "type": "string",
        "default": "data/imagenet-sketch",
    },
}
ENCODED = True
SEEDED = False
ARCHIVES = [
    {
        "url": "https://huggingface.co/datasets/songweig/imagenet_sketch/resolve/main/data/"
        "ImageNet-Sketch.zip",
        "checksum": "sha256:4d3ce6b82a7c48aabf14aeac105eb533e75707f152cc858f55bfc022031a72ed",
        "size": 7593573012,
        "into": "",
    }
]

SET = Published(
    column("imagenet"),
    named("imagenet"),
    lambda entry: even(50889, 1000),
    tops=("sketch",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
