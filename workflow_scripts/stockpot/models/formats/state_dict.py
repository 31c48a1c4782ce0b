"""A plain state dict for ``torch.load(..., weights_only=True)``: ``visual.*`` and ``head.*``.

Beside it the card: class names in the order of the head's rows, preprocessing, architecture.
"""

import shutil

from ...runtime.atomic_files import atomic
from . import Format

FILES = ("state_dict.pt", "classifier.json")
FORMAT = Format(files=FILES)


def write(folder, weights, clip):
    import torch

    with atomic(folder / FILES[0]) as path:
        torch.save({name: weights[name] for name in weights.names}, path)
    shutil.copyfile(weights.path.with_name(FILES[1]), folder / FILES[1])
