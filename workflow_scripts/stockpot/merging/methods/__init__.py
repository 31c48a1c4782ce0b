"""Merge methods: one module per method, found by its file name.

A method module defines ``find(ingredients, context) -> dict``: from the names and digests
of the ingredients it makes a recipe, which may carry more keys that tell how it was found.
Its module declares ``METHOD = Method(...)``, which says what the config may give it and how it
mixes. One that is not linear in the weights (``mixes="weights"``) defines instead
``merge(ingredients, context) -> iterator of (name, tensor)``, in the order of the names: a
Classifier of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...runtime import registry
from ...runtime.options import Declaration, declaration_class

if TYPE_CHECKING:
    import torch

    from ...training.averages import SavedAverages


Mixes = Literal["recipes", "outputs", "weights"]


@declaration_class
class Method(Declaration):
    """What a merge method says of itself.

    Attributes:
        options: The keys of its entries of ``soups``.
        mixes: What its merge is: "recipes", linear in the weights; "outputs"; or "weights", not
            linear.
        averages: The option of runs that keeps the averages along them which it takes.
        reads_training: Does it look at training images?
        ingredients: How many it takes, any number if None; with ``from_start: true`` one less.
        ordered: Does the order of the ingredients matter? If not, another order is the same soup.
    """

    mixes: Mixes = "recipes"
    averages: Literal["ema", "swa"] | None = None
    reads_training: bool = False
    ingredients: int | None = None
    ordered: bool = False


@dataclass
class Context:
    """What a method may look at.

    spec: its options, all of them. held_out: recipe -> (k, n) on the held-out set, k / n the score
    by the set's own metric. held_out_error: recipe -> the standard error of a score that is no
    plain accuracy, else None. start:
    SHA-256 of the model that all ingredients were trained from. weights: SHA-256 -> tensors by
    name, of the start and of every ingredient, read from disk when they are asked for.
    model: an empty model on the device, and images as ``training.loop.Batches``: of the
    held-out set, or with "train" of the training set. averages: SHA-256 of a run ->
    ``training.averages.SavedAverages``.
    """

    spec: dict
    held_out: Callable[[dict], tuple[int, int]]
    start: str = ""
    weights: Callable[[str], Mapping[str, "torch.Tensor"]] | None = None
    model: Callable[..., tuple] | None = None
    averages: Callable[[str], "SavedAverages"] | None = None
    held_out_error: Callable[[dict], float | None] | None = None


def names() -> list[str]:
    return registry.names(__file__)


def declared(name: str) -> Method:
    return registry.declaration(__name__, __file__, name, "METHOD")


def options(name: str) -> dict[str, dict]:
    return registry.options(__name__, __file__, name, "METHOD")


def mixes(name: str) -> Mixes:
    return declared(name).mixes


def averages(name: str) -> str | None:
    return declared(name).averages


def reads_training(name: str) -> bool:
    return declared(name).reads_training


def ingredients(name: str) -> int | None:
    return declared(name).ingredients


def ordered(name: str) -> bool:
    return declared(name).ordered


def load(name: str):
    """The ``find`` function of a method, or ``merge`` of one that is not linear."""
    known = name in names() and mixes(name) == "weights"
    return registry.load(
        __name__, __file__, name, "merge" if known else "find", "merge method"
    )
