"""Rendered images and captions, and the form that every data set has."""

import functools
import re

import numpy as np

from stockpot.datasets import sources
from stockpot.datasets.world import captions as captions_code
from stockpot.datasets.world import glyphs, vocabulary
from stockpot.datasets.world.captions import captions
from stockpot.datasets.world.distributions import WEB
from stockpot.datasets.world.scene import sample_scenes
from stockpot.datasets.world.web import KINDS as WEB_KINDS


def rendered_world(**changes):
    spec = {
        "name": "x",
        "seed": 0,
        "task": "objects",
        "distribution": "reference",
        "images": 64,
    }
    return as_arrays(sources.load("world")({**spec, "image_size": 32, **changes}))


def as_arrays(examples):
    return examples.images, examples.labels, examples.class_names


def check_form(made, n, side):
    images, labels, classes = made
    assert images.dtype == np.uint8
    assert images.shape == (n, side, side, 3)
    assert np.issubdtype(labels.dtype, np.integer)
    assert labels.shape == (n,)
    assert labels.min() >= 0
    assert labels.max() < len(classes)
    assert all(isinstance(name, str) for name in classes)
    assert len(set(classes)) == len(classes)


@functools.cache
def captioned_scenes():
    """3000 scenes of the web and their captions."""
    rng = np.random.default_rng(11)
    scenes = sample_scenes(WEB, 3000, rng, WEB_KINDS)
    return scenes, captions(scenes, rng)


def every_word() -> set[str]:
    """All words that a caption can hold, from its templates and its vocabulary."""
    module = captions_code
    templates = [
        *module._TEMPLATES,
        *module._TEMPLATES_WITH_BACKGROUND,
        *module._TEMPLATES_WITHOUT_CLASS,
    ]
    words = " ".join(re.sub(r"{\w+}", " ", text) for text in templates).split()
    for media in module.MEDIA.values():
        words += " ".join(media).split()
    words += " ".join(glyphs.TYPEFACES).split()
    words += ["a", "the", "texture", "surface", "pattern", "in", "type", "print"]
    words += ["digit", "letter", "number"]
    words += [
        *vocabulary.SHAPES,
        *vocabulary.GLYPHS,
        *vocabulary.PATTERNS,
        *vocabulary.COLOURS,
    ]
    return set(words)
