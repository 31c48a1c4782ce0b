"""CIFAR-100 (Krizhevsky, 2009) from its binary archive: records of two labels and pixels."""

from ._published import Published, column, in_records, named

OPTIONS = {
    "part": {"enum": ["train", "test"]},
    "path": {
        "description": "folder of the unpacked binary archive",
        "type": "string",
        "default": "data/cifar100",
    },
}
ENCODED = True
SEEDED = False
ARCHIVES = [
    {
        "url": "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        "checksum": "sha256:58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        "size": 168513733,
        "into": "",
    }
]
IMAGES = {"train": 500, "test": 100}

SET = Published(
    column("cifar100"),
    named("cifar100"),
    lambda entry: [IMAGES[entry["part"]]] * 100,
    tops=("cifar-100-binary",),
    watched=lambda entry: (f"{entry['part']}.bin",),
    part=("part",),
)


def prepare(spec):
    # The label of the 20 coarse classes comes first.
    return in_records(SET, [SET.root(spec["path"]) / f"{spec['part']}.bin"], labels=2)
