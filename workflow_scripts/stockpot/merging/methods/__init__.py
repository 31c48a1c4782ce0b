"""Merge methods: one module per method, found by its file name.

A method module defines ``find(ingredients, context) -> dict``: from the names and digests
of the ingredients it makes a recipe, which may carry more keys that tell how it was found.
Its literal ``OPTIONS``, if any, are the keys of its entries in the config (see
``registry.options``).
"""

from collections.abc import Callable
from dataclasses import dataclass

from ... import registry


@dataclass
class Context:
    """What a method may look at: held_out(recipe) -> (k, n) on the held-out set, and its spec."""

    spec: dict
    held_out: Callable[[dict], tuple[int, int]]


def names() -> list[str]:
    return registry.names(__file__)


def options(name: str) -> dict[str, dict]:
    return registry.options(__file__, name)


def load(name: str):
    """The ``find`` function of a method."""
    return registry.load(__name__, __file__, name, "find", "merge method")
