"""Stanford Cars (Krause et al., 2013): the images, the devkit and the test labels."""

from typing import Literal

from pydantic import Field

from ...runtime.errors import StockpotError
from . import Source
from ._options import Encoded
from ._published import Published, column, even, named, reading


class Options(Encoded):
    part: Literal["train", "test"] = Field(description="the published part")
    path: str = Field(
        "data/cars",
        description="folder with cars_train, cars_test, devkit, cars_test_annos_withlabels.mat",
    )


SOURCE = Source(options=Options, seeded=False)

LABELS = {
    "train": "devkit/cars_train_annos.mat",
    "test": "cars_test_annos_withlabels.mat",
}

SET = Published(
    column("cars"),
    named("cars"),
    lambda entry: even({"train": 8144, "test": 8041}[entry["part"]], 196),
    tops=("stanford_cars",),
    watched=lambda entry: (f"cars_{entry['part']}/", LABELS[entry["part"]]),
    part=("part",),
)


def prepare(spec):
    import numpy as np
    from scipy.io import loadmat

    root = SET.root(spec["path"])
    file = root / LABELS[spec["part"]]
    with reading(file), open(file, "rb") as stream:
        found = np.atleast_1d(loadmat(stream, squeeze_me=True)["annotations"])
        rows = [
            (str(name), int(number))
            for name, number in zip(found["fname"], found["class"])
        ]
    wrong = [row for row in rows if not 1 <= row[1] <= len(SET.class_names)]
    if wrong:
        raise StockpotError(
            f"{file}: {wrong[0][0]} has class {wrong[0][1]}, not 1 to 196"
        )
    return SET.listed(
        root,
        [(f"cars_{spec['part']}/{name}", SET.class_names[c - 1]) for name, c in rows],
    )
