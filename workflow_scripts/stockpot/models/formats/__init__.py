"""How a Classifier is written for other programs: a module per format, found by its file name.

A format module declares ``FORMAT = Format(...)`` and defines ``write(folder, weights, clip)``.
weights: ``classifier.Weights``. clip: (folder of the study's CLIP config, its weights file), for
what a Classifier has not: the text side.
"""

from ...runtime import registry
from ...runtime.options import declaration_class


@declaration_class
class Format:
    """What a format says of itself.

    Attributes:
        files: Names of the files that it writes.
    """

    files: tuple[str, ...]


def names() -> list[str]:
    return registry.names(__file__)


def files(name: str) -> list[str]:
    """Names of the files of a format, read without importing it."""
    return list(registry.declaration(__name__, __file__, name, "FORMAT").files)


def load(name: str):
    """The ``write`` function of a format."""
    return registry.load(__name__, __file__, name, "write", "format")
