"""A plain state dict for ``torch.load(..., weights_only=True)``: ``visual.*`` and ``head.*``.

Beside it the card: class names in the order of the head's rows, preprocessing, architecture.
"""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.atomic_files import atomic
from . import Format

if TYPE_CHECKING:
    from ..classifier import Weights

FILES = ("state_dict.pt", "classifier.json")
FORMAT = Format(files=FILES)


def write(
    folder: Path,
    weights: "Weights",
    clip: tuple[Path, Path],
) -> None:
    """Write the tensors, and copy the card.

    Args:
        folder: Where the files are written.
        weights: The classifier.
        clip: Not needed by this format.
    """
    import torch

    state_file, card_file = FILES
    with atomic(folder / state_file) as path:
        torch.save({name: weights[name] for name in weights.names}, path)
    shutil.copyfile(weights.path.with_name(card_file), folder / card_file)
