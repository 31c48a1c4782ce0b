"""Training variants: one module per variant; its file name is the name of the variant.

A variant module defines ``train(spec, context) -> (Card, tensors)``. It turns the initial
weights, if there are any, and the data into a classifier. The module declares
``VARIANT = Variant(...)``, whose options are hyperparameters beside those that all variants
share.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...runtime import registry
from ...runtime.options import Declaration, declaration_class

if TYPE_CHECKING:
    import torch

    from ...datasets.dataset import Dataset
    from ...models.card import Card


@declaration_class
class Variant(Declaration):
    """What a training variant declares.

    Attributes:
        options: Further hyperparameters of its runs.
        draws: Hyperparameters that it draws by itself; those of the run are ignored.
        several_processes: Whether several processes may share its batches.
    """

    draws: tuple[str, ...] = ()
    several_processes: bool = False


@dataclass
class Context:
    """What a variant works with.

    Attributes:
        initial_classifier: Folder of the classifier with the initial weights, or None.
        train: The training set.
        held_out: The held-out set.
        state_dir: Folder of the state that a stopped run resumes from.
        device: Where the run is trained.
        second_dataset: A second training set, or None.
        averages_dir: Where averages along the run are saved, or None.
    """

    initial_classifier: Path | None
    train: "Dataset"
    held_out: "Dataset"
    state_dir: Path
    device: str
    second_dataset: "Dataset | None" = None
    averages_dir: Path | None = None


# ``train`` of a variant: hyperparameters and context -> card and tensors of the classifier.
TrainFunction = Callable[
    [dict[str, Any], Context],
    tuple["Card", dict[str, "torch.Tensor"]],
]


def names() -> list[str]:
    """List all variants.

    Returns:
        Their names, sorted.
    """
    return registry.names(__file__)


def declared(name: str) -> Variant:
    """Read what a variant declares, without importing its module.

    Args:
        name: The name of the variant.

    Returns:
        Its declaration.

    Raises:
        StockpotError: There is no such variant.
    """
    return registry.declaration(__name__, __file__, name, "VARIANT")


def options(name: str) -> dict[str, dict[str, Any]]:
    """Describe the options of a variant.

    Args:
        name: The name of the variant.

    Returns:
        Option -> JSON schema.
    """
    return registry.options(__name__, __file__, name, "VARIANT")


def draws(name: str) -> tuple[str, ...]:
    """List the hyperparameters that a variant draws by itself.

    Args:
        name: The name of the variant.

    Returns:
        Names of hyperparameters.
    """
    return declared(name).draws


def shared(name: str) -> bool:
    """Tell whether several processes may share a variant's batches.

    Args:
        name: The name of the variant.

    Returns:
        True where they may.
    """
    return declared(name).several_processes


def load(name: str) -> TrainFunction:
    """Import a variant.

    Args:
        name: The name of the variant.

    Returns:
        Its ``train`` function.

    Raises:
        StockpotError: There is no such variant.
    """
    return registry.load(
        __name__,
        __file__,
        name,
        "train",
        "training variant",
    )
