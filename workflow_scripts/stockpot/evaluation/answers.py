"""What models answered, read from the store as numpy arrays: no torch, no model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from ..errors import StockpotError
from ..files import wait_for


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
                if name == "logits" and name not in file.keys():  # noqa: SIM118  no mapping
                    raise StockpotError(
                        f"{self.path} has no logits, which this needs; "
                        "evaluation.store_logits: true keeps them"
                    )
                return file.get_tensor(name)
        except (OSError, SafetensorError) as error:
            raise StockpotError(
                f"{self.path}: this stored prediction is gone or broken ({error}); "
                "snakemake --forcerun evaluate sweep fills the store again"
            ) from error


def answers(store: Path, key: str) -> Answers:
    """The entry under a key."""
    return Answers(Path(store) / key[:2] / f"{key}.safetensors")
