"""Rendered tasks: the same world seen through different questions."""

import zlib

import numpy as np

from ..world.distributions import DISTRIBUTIONS
from ..world.render import render
from ..world.scene import sample_scenes
from ..world.tasks import TASKS


def prepare(spec: dict) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Render ``images`` images of a task's distribution, balanced over its classes.

    spec: name, seed, task, distribution, images. The name enters the seed, so that data
    sets of one distribution do not share images.
    """
    kind, attribute, classes = TASKS[spec["task"]]
    rng = np.random.default_rng([spec["seed"], zlib.crc32(spec["name"].encode())])
    scenes = sample_scenes(
        DISTRIBUTIONS[spec["distribution"]],
        spec["images"],
        rng,
        kinds={kind: 1.0},
        attribute=attribute,
        classes=len(classes),
    )
    return render(scenes), getattr(scenes, attribute), list(classes)
