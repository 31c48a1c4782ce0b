"""Template of an export format: copy to stockpot/models/formats/<name>.py, and change it.

This one writes the tensors of a classifier as a NumPy archive.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime.atomic_files import atomic
from . import Format

if TYPE_CHECKING:
    from ..classifier import Weights

FORMAT = Format(files=("weights.npz",))


def write(folder: Path, weights: "Weights", clip: tuple[Path, Path]) -> None:
    """Write the files that ``FORMAT`` names.

    Args:
        folder: Where the files are written.
        weights: The classifier: tensors by name.
        clip: Folder and weights of the study's CLIP model, for the text side.
    """
    import numpy as np

    tensors = {name: weights[name].numpy() for name in weights.names}
    # The file appears as a whole, or not at all.
    with atomic(folder / "weights.npz") as path, open(path, "wb") as file:
        np.savez(file, **tensors)
