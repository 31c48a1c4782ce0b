"""The store of predictions: one file per recipe, data set, precision and version of the code.

The name of a file follows from all that its content depends on. So the same predictions are never
computed twice, whatever the workflow decides to run again.

- A file appears whole or not at all, so any number of jobs may write at once. No file is locked,
  so network file systems need no locks.
- A file that is missing, damaged or of another key counts as missing, and is made anew.
- On one machine the same key always has the same content; on another one it is the same up to the
  rounding of its arithmetic.
"""

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ..runtime.atomic_files import atomic
from ..runtime.code_digest import code_digest
from ..runtime.digest import sha256
from .cells import READ_ERRORS, Recipe, checked_arrays, metadata
from .predictions import Predictions

log = logging.getLogger(__name__)

VERSION = code_digest("stockpot/evaluation/evaluator.py")
# Arrays of every file; the logits are there only if they were kept.
COLUMNS = ["predicted", "correct", "confidence", "loss"]
# Types in memory, where they differ from those in the file: int32 and uint8 take less space.
MEMORY_TYPES = {"predicted": torch.int64, "correct": torch.bool}


def store_key(
    recipe: Recipe,
    fingerprint: str,
    precision: str,
) -> str:
    """Compute what predictions are stored under.

    Args:
        recipe: Of the model.
        fingerprint: Of the data set.
        precision: Of the forward pass, "bf16" or "fp32".

    Returns:
        SHA-256 of all that the predictions follow from, the code among it.
    """
    return sha256(
        {
            "recipe": recipe,
            "dataset": fingerprint,
            "precision": precision,
            "code": VERSION,
        }
    )


class Store:
    """Predictions on disk, in files ``<root>/ab/abcdef….safetensors``.

    Attributes:
        root: The folder of the store.
    """

    def __init__(self, root: str | Path):
        """Open a store, which need not exist yet.

        Args:
            root: The folder of the store.
        """
        self.root = Path(root)

    def path(self, key: str) -> Path:
        """Name the file of a key.

        Args:
            key: As the function ``store_key`` gives it.

        Returns:
            The path, whether there is a file or not.
        """
        return self.root / key[:2] / f"{key}.safetensors"

    def get(self, key: str, *, logits: bool = False) -> Predictions | None:
        """Read predictions.

        Args:
            key: As the function ``store_key`` gives it.
            logits: Whether the logits are needed.

        Returns:
            The predictions; None where the file is missing or damaged, or lacks the logits that
            are needed.
        """
        arrays = self._read(key, [*COLUMNS, "logits"] if logits else COLUMNS)
        if arrays is None:
            return None
        tensors = {}
        for name, array in arrays.items():
            tensors[name] = torch.from_numpy(array).to(MEMORY_TYPES.get(name))
        return Predictions(**tensors)

    def _read(self, key: str, names: list[str]) -> dict[str, np.ndarray] | None:
        """Checked arrays of one file, or None where they cannot be had."""
        path = self.path(key)
        try:
            # With framework="pt" safetensors opens the file twice. Where another job replaces it
            # in between, the layout is of the old file and the bytes are of the new one.
            with safe_open(path, framework="np") as file:
                if "logits" in names and "logits" not in file.keys():  # noqa: SIM118  no mapping
                    return None
                return checked_arrays(file, key, names)
        except OSError:
            return None
        except READ_ERRORS as error:
            log.warning("%s: damaged (%s); it is made anew", path, error)
            return None

    def put(
        self,
        key: str,
        predictions: Predictions,
        recipe: Recipe,
        dataset: str,
    ) -> None:
        """Write predictions, unless a file is there that is as good.

        Other nodes may be reading that file. If it were replaced, a network file system could
        take its pages away from under them.

        Args:
            key: As the function ``store_key`` gives it.
            predictions: What to store, with or without logits.
            recipe: The recipe of the model; only people read it.
            dataset: Name of the data set; only people read it.
        """
        path = self.path(key)
        has_logits = predictions.logits is not None
        # Order matters: a file that another job writes after this question may have logits, and
        # then stays. A file that was there before, and is not good enough, is replaced.
        existed = path.exists()
        if self.get(key, logits=has_logits) is not None:
            return
        tensors = {
            "predicted": predictions.predicted.to(torch.int32),
            "correct": predictions.correct.to(torch.uint8),
            "confidence": predictions.confidence,
            "loss": predictions.loss,
        }
        if predictions.logits is not None:
            tensors["logits"] = predictions.logits
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        # A file that another job wrote in between stays, unless it may lack the logits.
        with atomic(path, keep=not has_logits and not existed) as temporary:
            save_file(tensors, temporary, metadata(key, recipe, dataset, arrays))
