"""A recipe as a Classifier of its own: for use elsewhere, or as an ingredient."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from ..errors import StockpotError
from ..files import atomic
from ..models.card import Card
from ..models.classifier import (
    TOWER,
    WEIGHTS,
    ModelDigest,
    Weights,
    file_metadata,
    write_card,
)
from ..models.stream import TensorFile
from .checks import check_ingredients
from .coefficients import Coefficient, shares
from .linear import mixed, tower_coefficients
from .names import LINEAR

UNKNOWN = "0" * 64


def export(folder: str | Path, recipe: dict, ingredients: Mapping[str, Weights], name: str) -> Card:
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
            raise StockpotError(f"{name}: its ingredient {sha256} is not among the classifiers")
    cards = {sha256: ingredients[sha256].card for sha256 in sorted(coefficients)}
    check_ingredients(list(cards.values()), "barriers" not in recipe, one_class_list=False)
    headed = [sha256 for _, sha256 in shares(coefficients, "head.weight")]
    check_ingredients([cards[sha256] for sha256 in headed], one_start=False)
    first = ingredients[min(headed)]
    card = replace(
        first.card, name=name, kind=recipe.get("method", "soup"), start=first.card.origin(),
        spec=recipe, history=[],
    )  # fmt: skip
    tensors = _tensors(coefficients, ingredients, cards, first.names)
    return write_streamed(folder, card, first.shapes(), tensors)


def write_streamed(
    folder: Path,
    card: Card,
    shapes: Mapping[str, tuple[list[int], str]],
    tensors: Iterable[tuple[str, torch.Tensor]],
) -> Card:
    """Write a Classifier whose tensors come one by one, in the order of their names.

    shapes: of all tensors, as ``Weights.shapes`` gives them. The card's digests are filled in.
    """
    card = replace(card, sha256=UNKNOWN, tower_sha256=UNKNOWN)
    digest = ModelDigest(card)
    with (
        atomic(folder / WEIGHTS) as path,
        TensorFile(path, shapes, file_metadata(card)) as file,
    ):
        for key, tensor in tensors:
            file.write(key, tensor)
            digest.add(key, tensor)
        card.sha256, card.tower_sha256 = digest.finish()
        file.finish(file_metadata(card))
    write_card(folder, card)
    return card


def _tensors(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Weights],
    cards: Mapping[str, Card],
    names: list[str],
) -> Iterator[tuple[str, torch.Tensor]]:
    """The engine's tensors, in the order of their names, as digests want them."""
    tower = tower_coefficients(coefficients, cards)
    yield from mixed(coefficients, ingredients, [n for n in names if not n.startswith(TOWER)])
    yield from mixed(tower, ingredients, [n for n in names if n.startswith(TOWER)])
