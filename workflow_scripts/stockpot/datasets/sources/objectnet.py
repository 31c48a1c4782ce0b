"""ObjectNet (Barbu et al., 2019): the 113 of its 313 classes that ImageNet has.

The likeliest of the ImageNet classes that a class merges answers for it. The images' red border
is cut off. The licence forbids to tune anything on them.
"""

from pydantic import Field

from . import Source
from ._options import Encoded
from ._published import Published, column, even, in_folders, merged, named


class Options(Encoded):
    path: str = Field("data/objectnet", description="folder of the unpacked archive")


SOURCE = Source(options=Options, seeded=False)

BORDER = 2

SET = Published(
    column("objectnet"),
    named("objectnet"),
    lambda entry: even(18574, 113),
    tops=("objectnet-1.0/images", "images"),
    merged=merged("objectnet"),
)


def prepare(spec):
    folders = dict(zip(column("objectnet", "folder"), SET.class_names, strict=True))
    root = SET.root(spec["path"])
    rows = in_folders(root, folders, others=True)
    return SET.listed(root, rows, BORDER)
