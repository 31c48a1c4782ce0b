"""Training variants: one module per variant, found by its file name.

A variant module defines ``train(spec, context) -> (Card, tensors)``: it turns the start,
if there is one, and the data into a Classifier. Its literal ``OPTIONS``, if any, are
hyperparameters beside those that all variants share (see ``registry.options``).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime import registry

if TYPE_CHECKING:
    from ...datasets.dataset import Dataset


@dataclass
class Context:
    """What a variant works with.

    start: folder of the Classifier that training begins from, or None. joint: a second training
    set, or None. averages_dir: where averages along the run are saved, or None.
    """

    start: Path | None
    train: "Dataset"
    held_out: "Dataset"
    state_dir: Path
    device: str
    joint: "Dataset | None" = None
    averages_dir: Path | None = None


def names() -> list[str]:
    return registry.names(__file__)


def options(name: str) -> dict[str, dict]:
    return registry.options(__file__, name)


def draws(name: str) -> tuple[str, ...]:
    """Hyperparameters that the variant draws by itself (``DRAWS``); a run's own play no part."""
    return registry.literal(__file__, name, "DRAWS") or ()


def shared(name: str) -> bool:
    """May several processes share its batches (``SHARED``)?"""
    return bool(registry.literal(__file__, name, "SHARED"))


def load(name: str):
    """The ``train`` function of a variant."""
    return registry.load(__name__, __file__, name, "train", "training variant")
