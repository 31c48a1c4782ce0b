"""Predictions read from the store as NumPy arrays, without torch and without a model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open

from ..runtime.atomic_files import wait_for
from ..runtime.errors import StockpotError
from ..runtime.sealed import damaged, unreadable, unsealed
from .cells import READ_ERRORS, checked_arrays, has_array


class NoLogitsError(StockpotError):
    """The prediction is whole, but its logits were not kept."""


@dataclass(frozen=True)
class StoredPredictions:
    """The predictions of one model on one data set; each array is read when it is asked for.

    Attributes:
        path: The file in the store; see ``store.Store`` for the layout.
    """

    path: Path

    @property
    def predicted(self) -> np.ndarray:
        """The class index that the model answers.

        Returns:
            int32 [n].
        """
        return self._array("predicted")

    @property
    def correct(self) -> np.ndarray:
        """Whether each answer is right.

        Returns:
            bool [n].
        """
        return self._array("correct").astype(bool)

    @property
    def confidence(self) -> np.ndarray:
        """The largest probability.

        Returns:
            float32 [n].
        """
        return self._array("confidence")

    @property
    def loss(self) -> np.ndarray:
        """Cross-entropy with the label.

        Returns:
            float32 [n], in nats.
        """
        return self._array("loss")

    @property
    def logits(self) -> np.ndarray:
        """The logits of all classes.

        Returns:
            float32 [n, classes].

        Raises:
            NoLogitsError: They were not kept.
            StockpotError: The file is damaged.
        """
        return self._array("logits")

    def _array(self, name: str) -> np.ndarray:
        """Read one array and check it; StockpotError says what to do where that fails."""
        # Another node may have written the file a moment ago.
        wait_for(self.path)
        try:
            with safe_open(self.path, framework="np") as file:
                if name == "logits" and not has_array(file, name):
                    raise NoLogitsError(
                        f"{self.path} has no logits, which this needs; "
                        "evaluation.store_logits: true keeps them"
                    )
                return checked_arrays(file, self.path.stem, [name])[name]
        except READ_ERRORS as error:
            listing = _listing(self.path)
            # A file that is there but cannot be read is a fault of the disk, not of its content.
            if isinstance(error, OSError) and self.path.is_file():
                raise unreadable(
                    self.path,
                    error,
                    self.path,
                    listing,
                ) from error
            reason = f"this stored prediction is gone or broken: {error}"
            raise damaged(
                self.path,
                reason,
                self.path,
                listing,
            ) from error


def answers(store: Path, key: str) -> StoredPredictions:
    """Name one entry of the store; nothing is read yet.

    Args:
        store: The folder of the store.
        key: As ``store.store_key`` gives it.

    Returns:
        The entry, whether its file is there or not.
    """
    return StoredPredictions(Path(store) / key[:2] / f"{key}.safetensors")


def _listing(path: Path) -> Path:
    """The result file that lists this entry of the store.

    Once it is removed, the job that made it runs again, computes what the store lacks and reads
    the rest from the store. Files of the study that was planned last are searched, or of every
    study where the plan cannot be read. Without a match it is the folder of all evaluations.
    """
    results = path.parents[2]  # results/store/ab/abcd….safetensors
    try:
        patterns = _planned_listings(results)
    except (OSError, ValueError, KeyError, TypeError):
        patterns = ["evaluations/*.json", "studies/*/*/mixes/*.json"]
    # The text is searched, not parsed: a listing that is damaged itself is found, too.
    key = path.stem.encode()
    for pattern in patterns:
        for file in sorted(results.glob(pattern)):
            if key in file.read_bytes():
                return file
    return results / "evaluations"


def _planned_listings(results: Path) -> list[str]:
    """Patterns of the files, below the results, in which the saved plan lists store entries."""
    plan = unsealed((results / "plan.json").read_bytes())["plan"]
    patterns = [f"evaluations/{job_id}.json" for job_id in plan["evaluations"]]
    for study in plan["studies"]:
        patterns.append(f"studies/{study}/mixes/*.json")
    return patterns
