"""How a Classifier is written for other programs: a module per format, found by its file name.

A format module defines ``write(folder, weights, clip)``. weights: ``classifier.Weights``. clip:
(folder of the study's CLIP config, its weights file), for what a Classifier has not: the text side.
"""

from ... import registry


def names() -> list[str]:
    return registry.names(__file__)


def load(name: str):
    """The ``write`` function of a format."""
    return registry.load(__name__, __file__, name, "write", "format")
