"""The web: an endless stream of captioned images for contrastive pretraining."""

import numpy as np

from .captions import captions
from .distributions import WEB
from .render import render
from .scene import sample_scenes

KINDS = {"object": 0.72, "glyph": 0.2, "swatch": 0.08}


def web_batch(n: int, seed: int, step: int) -> tuple[np.ndarray, list[str]]:
    """Images uint8 [n, 32, 32, 3] and captions of one step; a function of (seed, step)."""
    rng = np.random.default_rng([seed, step])
    scenes = sample_scenes(WEB, n, rng, KINDS)
    return render(scenes), captions(scenes, rng)
