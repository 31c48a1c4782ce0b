"""What the images of a data set are called: a file beside the arrays, for messages alone."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..runtime.atomic_files import atomic
from ..runtime.escape import one_line

NAMES = "names.json"
LONGEST = 150  # characters of a name in a message


def write_names(folder: Path, names: list[str]) -> None:
    """Write the name of every image: its file, the member of an archive, the line of a table."""
    with atomic(folder / NAMES) as path:
        path.write_text(json.dumps(names), "utf-8")


def read_names(folder: Path, rows: Sequence[int]) -> list[str]:
    """Names of some images, short enough for a message; of images without a name, their number."""
    try:
        names = json.loads((folder / NAMES).read_text("utf-8"))
        return [shown(names[row]) for row in rows]
    except (OSError, ValueError, LookupError, TypeError):
        return [f"image {row} of {folder.name}" for row in rows]


def shown(name: str) -> str:
    """A name for a message."""
    return one_line(name, LONGEST)
