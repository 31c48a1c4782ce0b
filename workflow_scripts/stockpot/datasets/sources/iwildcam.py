"""iWildCam-WILDS 2.0 (Beery et al., 2020; Koh et al., 2021): animals seen by camera traps.

Scored by the F1 score, averaged over the classes that a part has.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Archive, PrepareSpec, Source
from ._options import Download, Encoded
from ._published import ImageRow, Published, class_column, read_csv, spread_evenly

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded, Download):
    """Options of the source ``iwildcam``."""

    part: Literal["train", "id-val", "id-test", "val", "test"] = Field(
        description="the published part"
    )
    path: str = Field("data/iwildcam", description="folder of the unpacked archive")


SOURCE = Source(
    options=Options,
    seeded=False,
    archives=(
        Archive(
            url="https://huggingface.co/datasets/emmilly/iwildcam-wilds-v2/resolve/main/"
            "iwildcam_v2.0.tar.gz",
            checksum="sha256:05c872f46eee44315f79bc90f4098c69ae3799a2b95116db02292ea1b4e370d2",
            size=11957415473,
            into="",
        ),
    ),
)

# "id": from camera traps of the training images, so in their distribution.
IMAGES = {"train": 129809, "id-val": 7314, "id-test": 8154, "val": 14961, "test": 42791}


def _distinct(names: list[str]) -> list[str]:
    """Class names with their class index where one name stands for two classes, as here."""
    distinct_names = []
    for index, name in enumerate(names):
        repeated = names.count(name) > 1
        distinct_names.append(f"{name} ({index})" if repeated else name)
    return distinct_names


CLASSES = _distinct(class_column("iwildcam"))

SET = Published(
    class_names=CLASSES,
    prompt_names=dict(zip(CLASSES, class_column("iwildcam", "name"), strict=True)),
    image_counts=lambda entry: spread_evenly(IMAGES[entry["part"]], len(CLASSES)),
    top_folders=("iwildcam_v2.0",),
    watched=lambda entry: ("metadata.csv", "train/"),
    part_options=("part",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the metadata.

    Raises:
        StockpotError: The metadata cannot be read, or has a wrong class.
    """
    root = SET.root(spec["path"])
    metadata = root / "metadata.csv"
    # The config writes id-val, the metadata id_val.
    wanted_split = spec["part"].replace("-", "_")
    # Labels of the metadata are class indices.
    name_of = dict(enumerate(CLASSES))
    rows: list[ImageRow] = []
    for split, number, file_name in read_csv(metadata, "split", "y", "filename"):
        if split != wanted_split:
            continue
        if not number.isdecimal() or int(number) not in name_of:
            raise StockpotError(
                f"{metadata}: {file_name} has y {number!r}, not 0 to {len(CLASSES) - 1}"
            )
        # Images of every split lie in train.
        rows.append((f"train/{file_name}", name_of[int(number)]))
    return SET.listed(root, rows, metric="macro-f1")
