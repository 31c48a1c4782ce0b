"""What models answered, read from the store as numpy arrays: no torch, no model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from ..runtime.atomic_files import wait_for
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, unreadable, unsealed
from .cells import FAULTS, checked_arrays, holds


@dataclass(frozen=True)
class Answers:
    """One entry of the store; see ``store.Store`` for the layout. Arrays load when asked for."""

    path: Path

    @property
    def predicted(self) -> np.ndarray:
        """int32 [n]"""
        return self._array("predicted")

    @property
    def correct(self) -> np.ndarray:
        """bool [n]"""
        return self._array("correct").astype(bool)

    @property
    def confidence(self) -> np.ndarray:
        """float32 [n], the largest probability"""
        return self._array("confidence")

    @property
    def loss(self) -> np.ndarray:
        """float32 [n], nats"""
        return self._array("loss")

    @property
    def logits(self) -> np.ndarray:
        """float32 [n, classes]. StockpotError where they were not kept."""
        return self._array("logits")

    def _array(self, name: str) -> np.ndarray:
        wait_for(self.path)
        try:
            with safe_open(self.path, framework="np") as file:
                if name == "logits" and not holds(file, name):
                    raise StockpotError(
                        f"{self.path} has no logits, which this needs; "
                        "evaluation.store_logits: true keeps them"
                    )
                return checked_arrays(file, self.path.stem, [name])[name]
        except FAULTS as error:
            listing = _listing(self.path)
            if isinstance(error, OSError) and self.path.is_file():
                raise unreadable(self.path, error, self.path, listing) from error
            reason = f"this stored prediction is gone or broken: {error}"
            raise damaged(self.path, reason, self.path, listing) from error


def answers(store: Path, key: str) -> Answers:
    """The entry under a key."""
    return Answers(Path(store) / key[:2] / f"{key}.safetensors")


def _listing(path: Path) -> Path:
    """A file that lists this entry: once it is gone, the job that made it runs again, which
    computes what is missing in the store and reads the rest from there.

    One of the study that was planned last, if there is any; else the folder of all evaluations.
    """
    results = path.parents[2]
    try:
        plan = unsealed((results / "plan.json").read_bytes())["plan"]
        names = [f"evaluations/{id}.json" for id in plan["evaluations"]]
        names += [f"studies/{study}/mixes/*.json" for study in plan["studies"]]
    except (OSError, ValueError, KeyError, TypeError):
        names = ["evaluations/*.json", "studies/*/*/mixes/*.json"]
    key = path.stem.encode()
    for name in names:
        for file in sorted(results.glob(name)):
            if key in file.read_bytes():
                return file
    return results / "evaluations"
