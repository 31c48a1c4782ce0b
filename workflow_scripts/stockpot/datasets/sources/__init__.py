"""Where images come from: one module per source, found by its file name.

A source module defines ``prepare(spec) -> (images, labels, class_names)`` with images
uint8 [n, side, side, 3] and labels int64 [n]. ``spec`` is the dataset's entry of the
config plus ``name``, ``seed`` and ``side`` (the model's input side in pixels).
"""

from ... import registry


def names() -> list[str]:
    return registry.names(__file__)


def load(name: str):
    """The ``prepare`` function of a source."""
    return registry.load(__name__, __file__, name, "prepare", "dataset source")
