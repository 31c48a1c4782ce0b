"""What a file of the store says about its content, and checks that the content agrees.

A file of the store is one cell: the predictions of one recipe on one data set.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from ..runtime.array_digest import array_digest
from ..runtime.sealed import sealed, unsealed

Recipe = dict[str, Any]  # rule and ingredients, as ``merging.recipe`` makes it
# The columns that name a model in tables, and its recipe.
LabelledRecipe = tuple[dict[str, Any], Recipe]

# One metadata key for everything: safetensors writes several keys in random order, and equal
# cells are to be equal files.
METADATA_KEY = "cell"
# What reading a damaged file raises.
READ_ERRORS = (OSError, SafetensorError, ValueError)


def metadata(
    key: str,
    recipe: Recipe,
    dataset: str,
    arrays: Mapping[str, np.ndarray],
) -> dict[str, str]:
    """Describe a new cell, for the header of its file.

    Args:
        key: The store's key of the cell.
        recipe: The recipe of the model; only people read it.
        dataset: Name of the data set; only people read it.
        arrays: Name -> array, everything that the file is to hold.

    Returns:
        Metadata of the file, with a digest of every array.
    """
    # Sorted, so that the header does not depend on the order of the arrays.
    digests = {name: array_digest(array) for name, array in sorted(arrays.items())}
    description = {
        "key": key,
        "digests": digests,
        "recipe": recipe,
        "dataset": dataset,
    }
    return {METADATA_KEY: sealed(description, indent=None)}


def _description(file: safe_open) -> dict[str, Any]:
    """What the header says; ValueError where it is missing or damaged."""
    header = file.metadata() or {}
    return unsealed(header.get(METADATA_KEY, ""))


def has_array(file: safe_open, name: str) -> bool:
    """Tell whether an array was stored in a cell.

    Args:
        file: The open cell.
        name: Of the array.

    Returns:
        Whether the header lists it; True where the header is damaged and lists nothing.
    """
    try:
        return name in _description(file)["digests"]
    except ValueError:
        return True


def checked_arrays(
    file: safe_open,
    key: str,
    names: Iterable[str],
) -> dict[str, np.ndarray]:
    """Read some arrays of a cell and check them; the others are not read.

    Args:
        file: The open cell.
        key: The key that the file is stored under.
        names: Of the arrays.

    Returns:
        Name -> array.

    Raises:
        ValueError: If the cell has another key, or an array is not what was stored. The message
            says which.
    """
    description = _description(file)
    if description["key"] != key:
        raise ValueError("it answers another question")
    # Digests are of the values: how safetensors lays out a file does not matter.
    arrays = {name: file.get_tensor(name) for name in names}
    for name, array in arrays.items():
        if array_digest(array) != description["digests"].get(name):
            raise ValueError(f"its {name} is not what was stored")
    return arrays
