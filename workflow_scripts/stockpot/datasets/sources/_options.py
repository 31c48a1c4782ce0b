"""Options of the config that several data sources share.

A source's ``Options`` class inherits from those classes here whose keys its entries take.
"""

from typing import Annotated, Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..split import SPLITS

AnswerClasses = Literal["all", "own"]
# Of data sets that were published in ten random partitions (DTD, SUN397).
Partition = Annotated[
    int,
    Field(
        ge=1,
        le=10,
        description="one of the published partitions",
    ),
]


class Split(PluginOptions):
    """How one folder or file of images is split into three data sets."""

    # ``registry.defaults`` reads these defaults; ``part`` has none and must be given.
    part: Literal[SPLITS] = Field(description="which part of every class to use")
    held_out: float = Field(
        0.1,
        ge=0,
        description="a share of the images if below 1, else images per class",
    )
    test: float = Field(
        0.2,
        ge=0,
        description="a share of the images if below 1, else images per class",
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the draw of parts",
    )
    held_out_list: str | None = Field(
        None,
        min_length=1,
        description="file that names the held-out images, instead of a random draw",
    )


class Encoded(PluginOptions):
    """Options of every source whose images are encoded files."""

    split: Split | None = Field(
        None,
        description="a part of every class, if one folder holds training, held-out and "
        "test images",
    )
    on_corrupt: Literal["refuse", "skip"] = Field(
        "refuse",
        description="refuse: an unreadable image stops the study; skip: it is left out "
        "and counted",
    )
    image_size: int = Field(
        0,
        ge=0,
        description="height and width of stored training images in pixels, from which "
        "crops are taken; 0: those of the model",
    )
    background: str = Field(
        "black",
        description="colour behind transparent parts: a name, or '#rrggbb' in quotes; "
        "open_clip uses black",
    )


class UserFiles(Encoded):
    """Options of every source whose files are a user's own."""

    classes: AnswerClasses = Field(
        "all",
        description="classes among which a model answers; all: all classes of the "
        "study; own: those that have images in this set, as ImageNet-R is "
        "scored",
    )
    # The same key with another default: the images of a user are no benchmark of open_clip.
    background: str = Field(
        "white", description=Encoded.model_fields["background"].description
    )
    duplicates: Literal["once", "keep"] = Field(
        "once", description="once: equal images count once; keep: each of them counts"
    )


class ClassList(UserFiles):
    """Options of the sources of a user's own whose labels may be numbers."""

    classes: str = Field(
        "all",
        description="all or own, as for other sources; or a file with one class per "
        "line, which is needed if labels are numbers without names",
    )
    class_list: str | None = Field(
        None, description="the file with one class per line, if classes is own"
    )


class Download(PluginOptions):
    """Option of the sources that have a public archive."""

    download: bool | str = Field(
        default=False,
        description="download the data set to its path; true: from where it is "
        "published; or from this URL",
    )


class Frames(PluginOptions):
    """Option of the two data sets of similar video frames."""

    frames: Literal["pm-0", "pm-10"] = Field(
        description="pm-0: only anchors; pm-10: sets of an anchor and up to 10 frames "
        "before and after it"
    )
