"""CIFAR-10.2, its test images (Lu et al., 2020): one file of NumPy arrays."""

from ._published import Published, column, in_arrays, named, reading

OPTIONS = {
    "path": {
        "description": "folder of cifar102_test.npz",
        "type": "string",
        "default": "data/cifar10-2",
    },
}
ENCODED = True
SEEDED = False
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
