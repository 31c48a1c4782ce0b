"""Rendered tasks: the same world seen through different questions."""

from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..world.tasks import TASKS
from . import Source


class Options(PluginOptions):
    task: Literal["objects", "digits", "textures", "colours"] = Field(
        description="what is to be told apart"
    )
    distribution: Literal[
        "web", "reference", "v2", "renditions", "sketch", "objectnet", "typeset", "wide"
    ] = Field(description="see datasets/world/distributions.py")
    images: int = Field(ge=1, description="number of images")


SOURCE = Source(options=Options, seeded=True)


def classes(entry, locate):
    return list(TASKS[entry["task"]][2])


def identity(entry, locate):
    return ""


def counts(entry, locate):
    return [entry["images"]]


def facts(entry, locate, key):
    return {}


def prepare(spec):
    """Render ``images`` images of a task's distribution, balanced over its classes.

    The name enters the seed, so that data sets of one distribution do not share images.
    Scenes are drawn at 32 x 32 pixels and resized (bicubic) where the model wants more.
    """
    import zlib

    import numpy as np

    from ..decoding.resize import resized
    from ..examples import Examples
    from ..world.distributions import DISTRIBUTIONS
    from ..world.render import render
    from ..world.scene import sample_scenes

    kind, attribute, names = TASKS[spec["task"]]
    rng = np.random.default_rng([spec["seed"], zlib.crc32(spec["name"].encode())])
    scenes = sample_scenes(
        DISTRIBUTIONS[spec["distribution"]],
        spec["images"],
        rng,
        kinds={kind: 1.0},
        attribute=attribute,
        classes=len(names),
    )
    images = resized(render(scenes), spec["side"])
    return Examples(images, getattr(scenes, attribute), list(names))
