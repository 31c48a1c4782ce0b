"""Real handwriting: the 1,797 scans of the UCI digits that ship with scikit-learn."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..world.vocabulary import DIGITS
from . import Entry, Facts, Locate, PrepareSpec, Source

if TYPE_CHECKING:
    from ..examples import Examples


class Options(PluginOptions):
    """Options of the source ``handwriting``."""

    part: Literal["train", "held-out", "test"] = Field(description="the published part")


SOURCE = Source(options=Options, seeded=True)

SCANS = 1797
LARGEST_GREY = 16  # of the scans, which have 17 levels
# Where each part begins and ends in the drawn order, as shares of all scans.
PARTS = {"train": (0.0, 0.45), "held-out": (0.45, 0.6), "test": (0.6, 1.0)}


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        The ten digits.
    """
    return list(DIGITS)


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read: one part of the scans.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Name of the part.
    """
    return entry["part"]


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        One number, that of the whole part.
    """
    start, end = _bounds(entry["part"], SCANS)
    return [end - start]


def facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Say what else ``prepare`` needs: nothing.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config.

    Returns:
        An empty dict.
    """
    return {}


def prepare(spec: PrepareSpec) -> "Examples":
    """Take one part of a seeded split of the scans, resized to the model's size.

    Args:
        spec: The entry, seed and image_size (pixels).

    Returns:
        The images, uint8 [n, side, side, 3], made of scans of 8 x 8 grey values.
    """
    import numpy as np
    from sklearn.datasets import load_digits

    from ..decoding.resize import resized
    from ..examples import Examples

    scans = load_digits()
    # Every part draws the same order, so parts share no scan.
    rng = np.random.default_rng(spec["seed"])
    order = rng.permutation(len(scans.target))
    start, end = _bounds(spec["part"], len(order))
    rows = order[start:end]
    scaled = scans.images[rows] * (255 / LARGEST_GREY)
    grey = np.round(scaled).astype(np.uint8)
    images = resized(grey, spec["image_size"])
    # The three channels are equal.
    rgb = images[..., None].repeat(3, axis=3)
    return Examples(rgb, scans.target[rows], list(DIGITS))


def _bounds(part: str, count: int) -> tuple[int, int]:
    """Where a part begins and ends among so many scans."""
    start_share, end_share = PARTS[part]
    start = round(start_share * count)
    end = round(end_share * count)
    return start, end
