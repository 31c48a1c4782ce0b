"""How a classifier is written for other programs: a module per format, named like the format.

A format module declares ``FORMAT = Format(...)`` and defines ``write(folder, weights, clip)``:

- folder: where the files are written.
- weights: the classifier, ``classifier.Weights``.
- clip: (folder of the study's CLIP config, its weights file), for what a classifier lacks: the
  text side.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime import registry
from ...runtime.options import declaration_class

if TYPE_CHECKING:
    from ..classifier import Weights

WriteFunction = Callable[[Path, "Weights", tuple[Path, Path]], None]


@declaration_class
class Format:
    """What a format declares.

    Attributes:
        files: Names of the files that it writes.
    """

    files: tuple[str, ...]


def names() -> list[str]:
    """List all formats.

    Returns:
        Their names, sorted.
    """
    return registry.names(__file__)


def files(name: str) -> list[str]:
    """List the files of a format, without importing its module.

    Args:
        name: The name of the format.

    Returns:
        The names of its files.

    Raises:
        StockpotError: There is no such format.
    """
    declaration = registry.declaration(__name__, __file__, name, "FORMAT")
    return list(declaration.files)


def load(name: str) -> WriteFunction:
    """Import a format.

    Args:
        name: The name of the format.

    Returns:
        Its ``write`` function.

    Raises:
        StockpotError: There is no such format.
    """
    return registry.load(
        __name__,
        __file__,
        name,
        "write",
        "format",
    )
