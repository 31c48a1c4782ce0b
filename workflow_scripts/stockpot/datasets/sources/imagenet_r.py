"""ImageNet-R (Hendrycks et al., 2021): renditions; a folder per WordNet id."""

from ._published import Published, column, even, named

OPTIONS = {
    "path": {
        "description": "folder of the unpacked archive",
        "type": "string",
        "default": "data/imagenet-r",
    },
}
ENCODED = True
SEEDED = False
ARCHIVES = [
    {
        "url": "https://people.eecs.berkeley.edu/~hendrycks/imagenet-r.tar",
        "checksum": "sha256:18c6bf493b39a0d975d48e587437f562caab9c52ae6327dcfa9dd8eb54aa1b52",
        "size": 2191079936,
        "into": "",
    }
]

SET = Published(
    column("imagenet_r"),
    named("imagenet"),
    lambda entry: even(30000, 200),
    tops=("imagenet-r",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
