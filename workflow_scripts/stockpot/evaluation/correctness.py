"""Right or wrong per example, read from the store without torch."""

from pathlib import Path

import numpy as np
from safetensors import safe_open


def read_correct(store: Path, key: str) -> np.ndarray:
    """bool [n] of one entry; see ``store.Store`` for the layout."""
    with safe_open(store / key[:2] / f"{key}.safetensors", framework="np") as file:
        return file.get_tensor("correct").astype(bool)
