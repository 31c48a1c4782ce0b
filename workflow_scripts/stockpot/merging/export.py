"""A recipe as a Classifier of its own: for use elsewhere, or as an ingredient."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

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
from .coefficients import Coefficient, shares
from .linear import Write, mixed, tower_coefficients
from .names import LINEAR

UNKNOWN = "0" * 64


def export(
    folder: str | Path, recipe: dict, ingredients: Mapping[str, Weights], name: str
) -> Card:
    """Write the model that a linear recipe describes; returns its card.

    recipe: rule, ingredients, and in a soup's file its method, which becomes the kind.
    ingredients: sha256 -> weights of (at least) those the recipe names. The weights are those
    that the engine evaluates, mixed and written one tensor at a time. Raises StockpotError for
    a recipe that mixes outputs, or ingredients that are not there or do not fit.
    """
    folder, coefficients = Path(folder), recipe["ingredients"]
    if recipe["rule"] != LINEAR:
        raise StockpotError(
            f"{name}: a {recipe['rule']} has no weights of its own to export; "
            "only linear recipes have"
        )
    for sha256 in coefficients:
        if sha256 not in ingredients:
            raise StockpotError(
                f"{name}: its ingredient {sha256} is not among the classifiers"
            )
    cards = {sha256: ingredients[sha256].card for sha256 in sorted(coefficients)}
    apart = "barriers" in recipe or recipe.get("backbones", False)
    check_ingredients(list(cards.values()), one_start=not apart, one_class_list=False)
    headed = [sha256 for _, sha256 in shares(coefficients, "head.weight")]
    check_ingredients([cards[sha256] for sha256 in headed], one_start=False)
    first = ingredients[min(headed)]
    card = replace(
        first.card,
        name=name,
        kind=recipe.get("method", "soup"),
        start=first.card.origin(),
        spec=recipe,
        history=[],
    )
    tensors = partial(_tensors, coefficients, ingredients, cards, first.names)
    return write_streamed(folder, card, first.shapes(), tensors)


def write_streamed(
    folder: Path,
    card: Card,
    shapes: Mapping[str, tuple[list[int], str]],
    tensors: Callable[[Write], Iterable[tuple[str, torch.Tensor]]],
) -> Card:
    """Write a Classifier whose tensors come one by one, in the order of their names.

    shapes: of all tensors, as ``Weights.shapes`` gives them. tensors: gets a function that
    writes (name, part, bytes before it), and yields (name, part) of all that it has written,
    consecutive parts of each tensor. The card's digests are filled in.
    """
    card = replace(card, sha256=UNKNOWN, tower_sha256=UNKNOWN)
    digest, name = ModelDigest(card), None
    with (
        atomic(folder / WEIGHTS) as path,
        SafetensorsWriter(path, shapes, file_metadata(card)) as file,
    ):
        for key, part in tensors(file.write):
            if key != name:
                shape, dtype = shapes[key]
                digest.of(key).start_tensor(key, DTYPES[dtype], shape)
                name = key
            digest.of(key).update(part)
        card.sha256, card.tower_sha256 = digest.finish()
        file.finish(file_metadata(card))
    write_card(folder, card)
    return card


def written(
    tensors: Iterable[tuple[str, torch.Tensor]],
) -> Callable[[Write], Iterator[tuple[str, torch.Tensor]]]:
    """Whole tensors as ``write_streamed`` wants them."""

    def write_each(write: Write) -> Iterator[tuple[str, torch.Tensor]]:
        for name, tensor in tensors:
            write(name, tensor, 0)
            yield name, tensor

    return write_each


def _tensors(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Weights],
    cards: Mapping[str, Card],
    names: list[str],
    write: Write,
) -> Iterator[tuple[str, torch.Tensor]]:
    """The engine's tensors, in the order of their names, as digests want them."""
    tower = tower_coefficients(coefficients, cards)
    heads = [name for name in names if not name.startswith(TOWER)]
    yield from mixed(coefficients, ingredients, heads, write)
    yield from mixed(
        tower, ingredients, [name for name in names if name not in heads], write
    )
