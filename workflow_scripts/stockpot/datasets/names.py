"""Names of the images of a data set: a file beside the arrays, for messages only."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..runtime.atomic_files import atomic
from ..runtime.escape import one_line

NAMES = "names.json"
# Characters of a name in a message, at most.
LONGEST = 150


def write_names(folder: Path, names: list[str]) -> None:
    """Write the name of every image.

    Args:
        folder: A Dataset folder.
        names: For each image its file, the member of an archive, or the line of a table.
    """
    with atomic(folder / NAMES) as path:
        path.write_text(json.dumps(names), "utf-8")


def read_names(folder: Path, rows: Sequence[int]) -> list[str]:
    """Read the names of some images, for a message.

    Args:
        folder: A Dataset folder.
        rows: The images.

    Returns:
        Short names in this order. Where there are no names, the row and the folder.
    """
    try:
        names = json.loads((folder / NAMES).read_text("utf-8"))
        return [short_name(names[row]) for row in rows]
    # Names are for messages only, so a damaged file is no error.
    except (OSError, ValueError, LookupError, TypeError):
        return [f"image {row} of {folder.name}" for row in rows]


def short_name(name: str) -> str:
    """Shorten a name for a message.

    Args:
        name: Any text.

    Returns:
        One line.
    """
    return one_line(name, LONGEST)
