"""Training variants: one module per variant, found by its file name.

A variant module defines ``train(spec, context) -> (Card, tensors)``: it turns the start,
if there is one, and the data into a Classifier. It declares ``VARIANT = Variant(...)``, whose
options are hyperparameters beside those that all variants share.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...runtime import registry
from ...runtime.options import Declaration, declaration_class

if TYPE_CHECKING:
    from ...datasets.dataset import Dataset


@declaration_class
class Variant(Declaration):
    """What a training variant says of itself.

    Attributes:
        options: Further hyperparameters of its runs.
        draws: Hyperparameters that it draws by itself; a run's own play no part.
        several_processes: May several processes share its batches?
    """

    draws: tuple[str, ...] = ()
    several_processes: bool = False


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


def declared(name: str) -> Variant:
    return registry.declaration(__name__, __file__, name, "VARIANT")


def options(name: str) -> dict[str, dict]:
    return registry.options(__name__, __file__, name, "VARIANT")


def draws(name: str) -> tuple[str, ...]:
    return declared(name).draws


def shared(name: str) -> bool:
    """May several processes share its batches?"""
    return declared(name).several_processes


def load(name: str):
    """The ``train`` function of a variant."""
    return registry.load(__name__, __file__, name, "train", "training variant")
