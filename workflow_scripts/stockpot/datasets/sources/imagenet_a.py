"""ImageNet-A (Hendrycks et al., 2021): images that mislead; a folder per WordNet id."""

from pydantic import Field

from . import Archive, Source
from ._options import Download, Encoded
from ._published import Published, column, even, named


class Options(Encoded, Download):
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


SET = Published(
    column("imagenet_a"),
    named("imagenet"),
    lambda entry: even(7500, 200),
    tops=("imagenet-a",),
    watched=lambda entry: ("n*/",),
)
prepare = SET.by_class
