"""Rendered tasks: the same world seen through different questions."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..world.tasks import TASKS
from . import Entry, Facts, Locate, PrepareSpec, Source

if TYPE_CHECKING:
    from ..examples import Examples


class Options(PluginOptions):
    """Options of the source ``world``."""

    task: Literal["objects", "digits", "textures", "colours"] = Field(
        description="what the classes are"
    )
    distribution: Literal[
        "web", "reference", "v2", "renditions", "sketch", "objectnet", "typeset", "wide"
    ] = Field(description="see datasets/world/distributions.py")
    images: int = Field(ge=1, description="number of images")


# The images follow from the study's seed, so they need no files.
SOURCE = Source(options=Options, seeded=True)


def classes(entry: Entry, locate: Locate) -> list[str]:
    """List the class names of the task.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        Class names, in the order of the labels.
    """
    _, _, class_names = TASKS[entry["task"]]
    return list(class_names)


def identity(entry: Entry, locate: Locate) -> str:
    """Say what is read: nothing, as the name of the entry makes its images differ.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        "".
    """
    return ""


def counts(entry: Entry, locate: Locate) -> list[int]:
    """Count the images.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.

    Returns:
        One number, that of the whole data set.
    """
    return [entry["images"]]


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
    """Render ``images`` images of a task's distribution, balanced over its classes.

    Scenes are drawn at 32 x 32 pixels and resized (bicubic) where the model wants more.

    Args:
        spec: The entry, name, seed and image_size (pixels).

    Returns:
        The images, uint8 [images, side, side, 3].
    """
    import zlib

    import numpy as np

    from ..decoding.resize import resized
    from ..examples import Examples
    from ..world.distributions import DISTRIBUTIONS
    from ..world.render import render
    from ..world.scene import sample_scenes

    kind, attribute, class_names = TASKS[spec["task"]]
    # The name enters the seed, so that data sets of one distribution do not share images.
    name_seed = zlib.crc32(spec["name"].encode())
    rng = np.random.default_rng([spec["seed"], name_seed])
    # Only scenes of one kind of thing; the attribute that the task asks for is balanced.
    scenes = sample_scenes(
        DISTRIBUTIONS[spec["distribution"]],
        spec["images"],
        rng,
        kinds={kind: 1.0},
        attribute=attribute,
        classes=len(class_names),
    )
    images = resized(render(scenes), spec["image_size"])
    return Examples(images, getattr(scenes, attribute), list(class_names))
