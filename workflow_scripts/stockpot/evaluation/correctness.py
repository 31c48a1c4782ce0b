"""Right or wrong per example, read from the store without torch."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from ..errors import StockpotError


def read_correct(store: Path, key: str) -> np.ndarray:
    """bool [n] of one entry; see ``store.Store`` for the layout. StockpotError if it is gone."""
    path = store / key[:2] / f"{key}.safetensors"
    try:
        with safe_open(path, framework="np") as file:
            return file.get_tensor("correct").astype(bool)
    except (OSError, SafetensorError) as error:
        raise StockpotError(
            f"{path}: this stored prediction is gone or broken ({error}); "
            "snakemake --forcerun evaluate sweep fills the store again"
        ) from error
