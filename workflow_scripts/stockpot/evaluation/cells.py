"""What an entry of the store says of itself, and whether it is what it says."""

from collections.abc import Iterable

import numpy as np
from safetensors import SafetensorError

from ..runtime.array_digest import array_digest
from ..runtime.sealed import sealed, unsealed

CELL = "cell"  # one metadata key: the library writes several in random order
FAULTS = (OSError, SafetensorError, ValueError)  # of an entry that cannot be read


def metadata(
    key: str, recipe: dict, dataset: str, arrays: dict[str, np.ndarray]
) -> dict[str, str]:
    """Of a new entry: its key, the digest of every array, and for people recipe and data set."""
    digests = {name: array_digest(array) for name, array in sorted(arrays.items())}
    cell = {"key": key, "digests": digests, "recipe": recipe, "dataset": dataset}
    return {CELL: sealed(cell, indent=None)}


def _cell(file) -> dict:
    return unsealed((file.metadata() or {}).get(CELL, ""))


def holds(file, name: str) -> bool:
    """Was an array of this name stored in an open entry? Yes, where it does not say what was."""
    try:
        return name in _cell(file)["digests"]
    except ValueError:
        return True


def checked_arrays(file, key: str, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Arrays of an open entry, of which others are not read.

    file: of ``safetensors.safe_open``. key: under which the entry was found. Raises ValueError,
    with the reason, for an entry that answers another question or is not what was stored.
    """
    cell = _cell(file)
    if cell["key"] != key:
        raise ValueError("it answers another question")
    arrays = {name: file.get_tensor(name) for name in names}
    for name, array in arrays.items():
        if array_digest(array) != cell["digests"].get(name):
            raise ValueError(f"its {name} is not what was stored")
    return arrays
