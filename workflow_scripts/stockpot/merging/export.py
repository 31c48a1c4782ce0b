"""Make a classifier of a recipe: for use elsewhere, or as an ingredient of another merge."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..models.card import Card
from ..models.classifier import (
    TOWER,
    WEIGHTS,
    ModelDigest,
    Weights,
    file_metadata,
    write_card,
)
from ..models.stream import DTYPES, SafetensorsWriter
from ..runtime.atomic_files import atomic
from ..runtime.errors import StockpotError
from .checks import check_ingredients
from .coefficients import Coefficient, tensor_coefficients
from .linear import WriteChunk, iterate_mix, tower_coefficients
from .rules import LINEAR

# Stands in the file's header until the digests are known; of the same length.
_UNKNOWN_DIGEST = "0" * 64

# (tensor name, tensor or flat chunk of it), in the order of the names.
NamedTensors = Iterable[tuple[str, torch.Tensor]]
# Gets a function that writes a chunk; writes all chunks and yields them.
TensorStream = Callable[[WriteChunk], NamedTensors]


def materialize_recipe(
    folder: str | Path,
    recipe: dict[str, Any],
    ingredients: Mapping[str, Weights],
    name: str,
) -> Card:
    """Write the classifier that a linear recipe describes.

    The weights are those that the evaluation computes with, mixed and written chunk by chunk.

    Args:
        folder: Where it is written.
        recipe: rule and ingredients; its method, if it has one, becomes the kind of the model.
        ingredients: SHA-256 -> weights of at least the ingredients that the recipe names.
        name: Name of the new model.

    Returns:
        The card of the new model.

    Raises:
        StockpotError: If the recipe mixes outputs, or its ingredients are missing or do not fit.
    """
    coefficients = recipe["ingredients"]
    _check_recipe(recipe, ingredients, name)
    cards = {sha256: ingredients[sha256].card for sha256 in sorted(coefficients)}
    different_starts = "barriers" in recipe or recipe.get("towers_only", False)
    check_ingredients(
        list(cards.values()),
        one_start=not different_starts,
        one_class_list=False,
    )
    # Ingredients of several tasks have heads of several classes.
    # Only the ingredients with a part in the head need to have the same classes.
    with_head = [
        sha256 for _, sha256 in tensor_coefficients(coefficients, "head.weight")
    ]
    check_ingredients([cards[sha256] for sha256 in with_head], one_start=False)
    first = ingredients[min(with_head)]
    card = replace(
        first.card,
        name=name,
        kind=recipe.get("method", "soup"),
        start=first.card.origin(),
        spec=recipe,
        history=[],
    )
    tensors = partial(_mixed_tensors, coefficients, ingredients, cards, first.names)
    return write_streamed(
        Path(folder),
        card,
        first.shapes(),
        tensors,
    )


def _check_recipe(
    recipe: dict[str, Any],
    ingredients: Mapping[str, Weights],
    name: str,
) -> None:
    """Refuse a recipe that has no weights, or whose ingredients are missing."""
    if recipe["rule"] != LINEAR:
        raise StockpotError(
            f"{name}: a {recipe['rule']} has no weights of its own to export; "
            "only linear recipes have"
        )
    for sha256 in recipe["ingredients"]:
        if sha256 not in ingredients:
            raise StockpotError(
                f"{name}: its ingredient {sha256} is not among the classifiers"
            )


def write_streamed(
    folder: Path,
    card: Card,
    shapes: Mapping[str, tuple[list[int], str]],
    tensors: TensorStream,
) -> Card:
    """Write a classifier whose tensors come one by one, in the order of their names.

    Args:
        folder: Where it is written.
        card: Its card; the digests are filled in.
        shapes: Shape and type of every tensor, as ``Weights.shapes`` gives them.
        tensors: Gets a function that writes a chunk, and yields (name, chunk) of all that it
            has written: consecutive chunks of each tensor.

    Returns:
        The card with its digests.
    """
    card = replace(
        card,
        sha256=_UNKNOWN_DIGEST,
        tower_sha256=_UNKNOWN_DIGEST,
    )
    digest = ModelDigest(card)
    current_name = None
    with (
        atomic(folder / WEIGHTS) as path,
        SafetensorsWriter(path, shapes, file_metadata(card)) as file,
    ):
        for name, chunk in tensors(file.write):
            if name != current_name:
                shape, dtype = shapes[name]
                digest.of(name).start_tensor(name, DTYPES[dtype], shape)
                current_name = name
            digest.of(name).update(chunk)
        # The digests follow from the tensors, so the header is written a second time.
        card.sha256, card.tower_sha256 = digest.finish()
        file.finish(file_metadata(card))
    write_card(folder, card)
    return card


def as_stream(tensors: NamedTensors) -> TensorStream:
    """Turn whole tensors into what ``write_streamed`` takes.

    Args:
        tensors: (name, tensor), in the order of the names.

    Returns:
        A function that writes each of them and yields it.
    """

    def write_each(write: WriteChunk) -> Iterator[tuple[str, torch.Tensor]]:
        """Write whole tensors, and yield them for the digest."""
        for name, tensor in tensors:
            write(name, tensor, 0)
            yield name, tensor

    return write_each


def _mixed_tensors(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Weights],
    cards: Mapping[str, Card],
    names: list[str],
    write: WriteChunk,
) -> Iterator[tuple[str, torch.Tensor]]:
    """The mix that the evaluation computes with, in the order of the names."""
    # Sorted names begin with "head.", then come those of the tower, "visual.".
    head_names = [name for name in names if not name.startswith(TOWER)]
    tower_names = [name for name in names if name not in head_names]
    tower = tower_coefficients(coefficients, cards)
    yield from iterate_mix(coefficients, ingredients, head_names, write)
    yield from iterate_mix(tower, ingredients, tower_names, write)
