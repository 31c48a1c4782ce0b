"""The content-addressed store of predictions.

One entry per (recipe, data set, precision, code): the same question is never computed
twice, whatever the workflow decides to run again. Entries are written whole or not at
all, so any number of jobs may write at once. On one machine the same key always gets the
same content, elsewhere the same up to the rounding of its arithmetic. No entry is locked, so
network file systems need no locks; one that cannot be seen, is damaged or answers another question
is a miss, and is made anew.
"""

import logging
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from ..runtime.atomic_files import atomic
from ..runtime.code_digest import code_digest
from ..runtime.digest import sha256
from .cells import FAULTS, checked_arrays, metadata
from .predictions import Predictions

log = logging.getLogger(__name__)

VERSION = code_digest("stockpot/evaluation/evaluator.py")


def key(recipe: dict, fingerprint: str, precision: str) -> str:
    """What an entry is filed under: SHA-256 of all that the predictions follow from."""
    return sha256(
        {
            "recipe": recipe,
            "dataset": fingerprint,
            "precision": precision,
            "code": VERSION,
        }
    )


class Store:
    """Predictions on disk: ``<root>/ab/abcdef….safetensors``."""

    def __init__(self, root: str | Path):
        self.root = Path(root)

    def path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.safetensors"

    def get(self, key: str, logits: bool = False) -> Predictions | None:
        """The entry, or None where there is none, it is broken, or it lacks wanted logits."""
        try:
            # As "pt" it would open the file twice: the layout of one, the bytes of its successor.
            with safe_open(self.path(key), framework="np") as file:
                if logits and "logits" not in file.keys():  # noqa: SIM118  no mapping
                    return None
                names = [
                    "predicted",
                    "correct",
                    "confidence",
                    "loss",
                    *(["logits"] * logits),
                ]
                arrays = checked_arrays(file, key, names)
        except OSError:
            return None
        except FAULTS as error:
            log.warning("%s: damaged (%s); it is made anew", self.path(key), error)
            return None
        found = {name: torch.from_numpy(array) for name, array in arrays.items()}
        kinds = {"predicted": torch.int64, "correct": torch.bool}
        return Predictions(**{name: t.to(kinds.get(name)) for name, t in found.items()})

    def put(
        self, key: str, predictions: Predictions, recipe: dict, dataset: str
    ) -> None:
        """Write the entry, unless one is there that is as good.

        Nodes may be reading it: where it is replaced by another node, a network file system can
        take its pages away from under them.
        """
        # Asked first: what comes later may have logits. What was there and is not good gives way.
        existed = self.path(key).exists()
        if self.get(key, logits=predictions.logits is not None) is not None:
            return
        tensors = {
            "predicted": predictions.predicted.to(torch.int32),
            "correct": predictions.correct.to(torch.uint8),
            "confidence": predictions.confidence,
            "loss": predictions.loss,
        }
        if predictions.logits is not None:
            tensors["logits"] = predictions.logits
        with atomic(
            self.path(key), keep=predictions.logits is None and not existed
        ) as path:
            arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
            save_file(tensors, path, metadata(key, recipe, dataset, arrays))
