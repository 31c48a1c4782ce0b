"""CIFAR-10.2, its test images (Lu et al., 2020): one file of NumPy arrays."""

from pydantic import Field

from . import Source
from ._options import Encoded
from ._published import Published, column, in_arrays, named, reading


class Options(Encoded):
    path: str = Field("data/cifar10-2", description="folder of cifar102_test.npz")


SOURCE = Source(options=Options, seeded=False)

FILE = "cifar102_test.npz"

SET = Published(
    column("cifar10"),
    named("cifar10"),
    lambda entry: [200] * 10,
    tops=("cifar-10.2",),
    watched=lambda entry: (FILE,),
)


def prepare(spec):
    import numpy as np

    file = SET.root(spec["path"]) / FILE
    with reading(file), np.load(file, allow_pickle=False) as arrays:
        return in_arrays(SET, file, arrays["images"], arrays["labels"])
