"""Our own format: one safetensors file and a card."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from . import Format

if TYPE_CHECKING:
    from ..classifier import Weights

FILES = ("classifier.json", "classifier.safetensors")
FORMAT = Format(files=FILES)


def write(
    folder: Path,
    weights: "Weights",
    clip: tuple[Path, Path],
) -> None:
    """Copy the files of a classifier.

    Args:
        folder: Where the files are written.
        weights: The classifier.
        clip: Not needed by this format.
    """
    for name in FILES:
        shutil.copyfile(weights.path.with_name(name), folder / name)
