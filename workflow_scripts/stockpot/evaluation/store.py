"""The content-addressed store of predictions.

One entry per (recipe, data set, precision, code): the same question is never computed
twice, whatever the workflow decides to run again. Entries are written whole or not at
all, so any number of jobs may write at once. On one machine the same key always gets the
same content, elsewhere the same up to the rounding of its arithmetic.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..digest import canonical, code_digest, sha256
from ..files import atomic
from .predictions import Predictions

VERSION = code_digest("stockpot/evaluation/evaluator.py")


def key(recipe: dict, fingerprint: str, precision: str) -> str:
    """What an entry is filed under: SHA-256 of all that the predictions follow from."""
    return sha256(
        {"recipe": recipe, "dataset": fingerprint, "precision": precision, "code": VERSION}
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
            with safe_open(self.path(key), framework="pt") as file:
                names = set(file.keys())
                if logits and "logits" not in names:
                    return None
                return Predictions(
                    predicted=file.get_tensor("predicted").long(),
                    correct=file.get_tensor("correct").bool(),
                    confidence=file.get_tensor("confidence"),
                    loss=file.get_tensor("loss"),
                    logits=file.get_tensor("logits") if logits else None,
                )
        except (OSError, SafetensorError):
            return None

    def put(self, key: str, predictions: Predictions, recipe: dict, dataset: str) -> None:
        """Write the entry. One that is there already is not replaced by one without logits."""
        if predictions.logits is None and self.get(key) is not None:
            return
        tensors = {
            "predicted": predictions.predicted.to(torch.int32),
            "correct": predictions.correct.to(torch.uint8),
            "confidence": predictions.confidence,
            "loss": predictions.loss,
        }
        if predictions.logits is not None:
            tensors["logits"] = predictions.logits
        with atomic(self.path(key)) as path:
            # One metadata key: the library writes several in random order.
            save_file(tensors, path, {"cell": canonical({"recipe": recipe, "dataset": dataset})})
