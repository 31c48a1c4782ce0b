"""Training variants: one module per variant, found by its file name.

A variant module defines ``train(spec, context) -> (Card, tensors)``: it turns the start,
if there is one, and the data into a Classifier.
"""

from dataclasses import dataclass
from pathlib import Path

from ... import registry
from ...datasets.dataset import Dataset


@dataclass
class Context:
    """start: folder of the Classifier that training begins from, or None."""

    start: Path | None
    train: Dataset
    held_out: Dataset
    state_dir: Path
    device: str


def names() -> list[str]:
    return registry.names(__file__)


def load(name: str):
    """The ``train`` function of a variant."""
    return registry.load(__name__, __file__, name, "train", "training variant")
