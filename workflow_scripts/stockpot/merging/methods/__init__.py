"""Merge methods: one module per method, found by its file name.

A method module declares ``METHOD = Method(...)``, which says what options the config may give it
and how it mixes. It defines one of two functions:

* ``find(ingredients, context) -> dict`` makes a recipe of the ingredients (name -> SHA-256). The
  recipe may have more keys, which tell how it was found.
* ``merge(ingredients, context)`` is for methods that are not linear in the weights
  (``mixes="weights"``). It yields (name, tensor) in the order of the names: a classifier.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from ...runtime import registry
from ...runtime.options import Declaration, declaration_class

if TYPE_CHECKING:
    import torch

    from ...models.classifier import OpenWeights
    from ...training.averages import SavedAverages
    from ...training.loop import Batches


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


def _not_given(*_: str) -> NoReturn:
    """Stand for what a context does not give, until a method asks for it."""
    raise NotImplementedError("this context does not give what the method looks at")


@dataclass
class Context:
    """What a method may look at.

    Attributes:
        spec: All options of the soup.
        held_out: Recipe -> (k, n) on the held-out set; k / n is the score by the set's own
            metric.
        start: SHA-256 of the model that all ingredients were trained from.
        weights: SHA-256 -> tensors by name, of the start and of every ingredient, read from disk
            when they are asked for.
        model: Makes (an empty model on the device, images as ``training.loop.Batches``): of the
            held-out set, or with "train" of the training set.
        averages: SHA-256 of a run -> the averages that it saved.
        held_out_error: Recipe -> the standard error of its score, None if the score is a plain
            accuracy.
    """

    spec: dict[str, Any]
    held_out: Callable[[dict[str, Any]], tuple[float, int]]
    start: str = ""
    weights: Callable[[str], "OpenWeights"] = _not_given
    model: Callable[..., tuple["torch.nn.Module", "Batches"]] = _not_given
    averages: Callable[[str], "SavedAverages"] = _not_given
    held_out_error: Callable[[dict[str, Any]], float | None] | None = None


# What the ``merge`` of a method yields: (name, tensor) in the order of the names.
NamedTensors = Iterator[tuple[str, "torch.Tensor"]]


def names() -> list[str]:
    """List the names of all merge methods.

    Returns:
        Names as in the config, sorted.
    """
    return registry.names(__file__)


def declared(name: str) -> Method:
    """Read what a method says of itself, without importing its module.

    Args:
        name: Name of the method.

    Returns:
        Its declaration.

    Raises:
        StockpotError: If the module declares nothing, or its declaration is wrong.
    """
    return registry.declaration(__name__, __file__, name, "METHOD")


def options(name: str) -> dict[str, dict[str, Any]]:
    """Read the options of a method.

    Args:
        name: Name of the method.

    Returns:
        Key of the config -> JSON schema.
    """
    return registry.options(__name__, __file__, name, "METHOD")


def mixes(name: str) -> Mixes:
    """Tell what a method mixes.

    Args:
        name: Name of the method.

    Returns:
        "recipes", "outputs" or "weights"; see ``Method``.
    """
    return declared(name).mixes


def averages(name: str) -> str | None:
    """Tell which averages along its runs a method takes.

    Args:
        name: Name of the method.

    Returns:
        The option of the runs that keeps them; None if it takes the last weights.
    """
    return declared(name).averages


def reads_training(name: str) -> bool:
    """Tell whether a method looks at training images.

    Args:
        name: Name of the method.

    Returns:
        True if it does.
    """
    return declared(name).reads_training


def ingredients(name: str) -> int | None:
    """Tell how many ingredients a method takes.

    Args:
        name: Name of the method.

    Returns:
        Their number, one less with ``from_start: true``; None if any number will do.
    """
    return declared(name).ingredients


def ordered(name: str) -> bool:
    """Tell whether the order of a method's ingredients matters.

    Args:
        name: Name of the method.

    Returns:
        True if another order is another soup.
    """
    return declared(name).ordered


def load(name: str) -> Callable[..., Any]:
    """Import the function of a method.

    Args:
        name: Name of the method.

    Returns:
        Its ``find``, or ``merge`` if it is not linear in the weights.

    Raises:
        StockpotError: If there is no such method.
    """
    # A name that does not exist has no declaration; ``load`` says so below.
    is_nonlinear = name in names() and mixes(name) == "weights"
    function = "merge" if is_nonlinear else "find"
    return registry.load(__name__, __file__, name, function, "merge method")
