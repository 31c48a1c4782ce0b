"""Merge methods: one module per method, found by its file name.

A method module defines ``find(ingredients, context) -> dict``: from the names and digests
of the ingredients it makes a recipe, which may carry more keys that tell how it was found.
Its literal ``OPTIONS``, if any, are the keys of its entries in the config (see
``registry.options``). One whose recipes mix outputs says so: ``MIXES = "outputs"``. One that
is not linear in the weights (``MIXES = "weights"``) defines instead ``merge(ingredients,
context) -> iterator of (name, tensor)``, in the order of the names: a Classifier of its own.
One that takes averages along runs names the run's option that keeps them: ``AVERAGES``. One to
which the order of the ingredients matters says ``ORDERED = True``, one that takes a certain number
of them ``INGREDIENTS = 2`` (with ``from_start: true``, one less).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...runtime import registry

if TYPE_CHECKING:
    import torch

    from ...training.averages import SavedAverages


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


def options(name: str) -> dict[str, dict]:
    return registry.options(__file__, name)


def mixes(name: str) -> str:
    """ "recipes" (a linear mix), "outputs", or "weights" (not linear)."""
    return registry.literal(__file__, name, "MIXES") or "recipes"


def averages(name: str) -> str | None:
    """The option of runs that must keep the averages this method takes; None for most."""
    return registry.literal(__file__, name, "AVERAGES")


def reads_training(name: str) -> bool:
    """Does the method look at training images?"""
    return bool(registry.literal(__file__, name, "READS_TRAINING"))


def ingredients(name: str) -> int | None:
    """How many ingredients the method takes (``INGREDIENTS``); None for any number."""
    return registry.literal(__file__, name, "INGREDIENTS")


def ordered(name: str) -> bool:
    """Does the order of the ingredients matter? If not, another order is the same soup."""
    return bool(registry.literal(__file__, name, "ORDERED"))


def load(name: str):
    """The ``find`` function of a method, or ``merge`` of one that is not linear."""
    known = name in names() and mixes(name) == "weights"
    return registry.load(__name__, __file__, name, "merge" if known else "find", "merge method")
