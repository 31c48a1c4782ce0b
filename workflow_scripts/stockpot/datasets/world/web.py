"""The web of the synthetic world: an endless stream of captioned images for pretraining."""

import numpy as np

from .captions import captions
from .distributions import WEB
from .render import render
from .scene import sample_scenes

# How frequent each kind of scene is.
KINDS = {"object": 0.72, "glyph": 0.2, "swatch": 0.08}


def web_batch(n: int, seed: int, step: int) -> tuple[np.ndarray, list[str]]:
    """Draw the images and captions of one step of pretraining.

    Args:
        n: Number of images.
        seed: Seed of the pretraining.
        step: Number of the step. The same seed and step give the same batch.

    Returns:
        Images, uint8 [n, 32, 32, 3], and their captions.
    """
    rng = np.random.default_rng([seed, step])
    scenes = sample_scenes(WEB, n, rng, KINDS)
    # Rendering draws nothing from this generator, so captions may be drawn after it.
    return render(scenes), captions(scenes, rng)
