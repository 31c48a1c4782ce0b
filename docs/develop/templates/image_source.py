"""Template of a source of images: copy to stockpot/datasets/sources/<name>.py, and change it.

This one draws squares and disks. For a published data set, copy food101.py instead.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Entry, Facts, Locate, PrepareSpec, Source

if TYPE_CHECKING:
    from ..examples import Examples


class Options(PluginOptions):
    """Config keys of the source."""

    images: int = Field(100, ge=2, description="number of images")


SOURCE = Source(options=Options, seeded=True)
CLASSES = ["disk", "square"]


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names, which are known before anything is prepared.

    Args:
        entry: The entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        The names.
    """
    return CLASSES


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images, as far as planning can know.

    Args:
        entry: The entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Numbers of images, of all classes together here.
    """
    return [entry["images"]]


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read; entries of equal identity hold the same images.

    Args:
        entry: The entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        "", as the name of a data set makes its images different.
    """
    return ""


def facts(entry: Entry, locate: Locate, key: str) -> Facts:
    """Say what else ``prepare`` depends on, such as a digest of files.

    Args:
        entry: The entry of the config.
        locate: Turns a path of the config into where the file is.
        key: The key of the entry, for errors.

    Returns:
        Nothing here.
    """
    return {}


def prepare(spec: PrepareSpec) -> "Examples":
    """Make the images.

    Args:
        spec: The entry with defaults, its seed, and the side of the images in pixels.

    Returns:
        uint8 images [n, side, side, 3] and labels.
    """
    import numpy as np

    from ..examples import Examples

    rng = np.random.default_rng(spec["seed"])
    labels = np.arange(spec["images"]) % len(CLASSES)
    side = spec["image_size"]
    rows, columns = np.mgrid[:side, :side]
    images = np.zeros((len(labels), side, side, 3), np.uint8)
    for image, label in zip(images, labels):
        radius = rng.uniform(side / 8, side / 2)
        across = np.abs(rows - side / 2)
        along = np.abs(columns - side / 2)
        distance = np.hypot(across, along) if label == 0 else np.maximum(across, along)
        image[distance < radius] = 255
    return Examples(images, labels, CLASSES)
