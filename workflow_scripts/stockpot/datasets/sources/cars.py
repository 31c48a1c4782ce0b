"""Stanford Cars (Krause et al., 2013): the images, the devkit and the test labels."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import PrepareSpec, Source
from ._options import Encoded
from ._published import (
    ImageRow,
    Published,
    class_column,
    prompt_names,
    reading,
    spread_evenly,
)

if TYPE_CHECKING:
    from ..examples import Examples


class Options(Encoded):
    """Options of the source ``cars``."""

    part: Literal["train", "test"] = Field(description="the published part")
    path: str = Field(
        "data/cars",
        description="folder with cars_train, cars_test, devkit, cars_test_annos_withlabels.mat",
    )


SOURCE = Source(options=Options, seeded=False)

# All images of a part. How many each class has is written in the annotations only.
IMAGES = {"train": 8144, "test": 8041}
# MATLAB files with the name and the class number of each image.
LABELS = {
    "train": "devkit/cars_train_annos.mat",
    "test": "cars_test_annos_withlabels.mat",
}

SET = Published(
    class_names=class_column("cars"),
    prompt_names=prompt_names("cars"),
    image_counts=lambda entry: spread_evenly(IMAGES[entry["part"]], 196),
    top_folders=("stanford_cars",),
    watched=lambda entry: (f"cars_{entry['part']}/", LABELS[entry["part"]]),
    part_options=("part",),
)


def prepare(spec: PrepareSpec) -> "Examples":
    """List the images of one part.

    Args:
        spec: The entry with defaults, and its facts.

    Returns:
        The images in the order of the annotations.

    Raises:
        StockpotError: The annotations cannot be read, or a class in them is wrong.
    """
    import numpy as np
    from scipy.io import loadmat

    root = SET.root(spec["path"])
    file = root / LABELS[spec["part"]]
    # Class numbers begin at 1, labels at 0.
    numbers: list[tuple[str, int]] = []  # file name, number of its class from 1
    with reading(file), open(file, "rb") as stream:
        annotations = np.atleast_1d(loadmat(stream, squeeze_me=True)["annotations"])
        for name, number in zip(annotations["fname"], annotations["class"]):
            numbers.append((str(name), int(number)))
    rows: list[ImageRow] = []
    for name, number in numbers:
        if not 1 <= number <= len(SET.class_names):
            raise StockpotError(f"{file}: {name} has class {number}, not 1 to 196")
        path = f"cars_{spec['part']}/{name}"
        rows.append((path, SET.class_names[number - 1]))
    return SET.listed(root, rows)
