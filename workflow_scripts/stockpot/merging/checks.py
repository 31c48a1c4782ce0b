"""Can these models be mixed? From their cards, then from their weights."""

import logging
from collections.abc import Mapping

import torch

from ..models.card import UNKNOWN_START, Card
from ..models.classifier import Weights
from ..runtime.errors import StockpotError
from .geometry import cosine, gram
from .linear import Source, pieces, stored
from .recipe import single, uniform

log = logging.getLogger(__name__)

TOWER = (
    "architecture",
    "normalise",
    "mean",
    "std",
    "image_size",
    "resize_mode",
    "interpolation",
)
# Matrices of models from one start still point the same way after fine-tuning; those of models
# from two random starts are close to orthogonal.
RELATED = 0.5


def check_ingredients(
    cards: list[Card], one_start: bool = True, one_class_list: bool = True
) -> None:
    """Raises StockpotError naming the first ingredient whose card does not fit the first one's.

    A model of unknown start passes; ``check_starts`` looks at its weights.
    """
    first = cards[0]
    for card in cards:
        if card.status != "ok":
            raise StockpotError(
                f"{card.name}: this run {card.status} and cannot be an ingredient"
            )
        for what in (*TOWER, "class_names") if one_class_list else TOWER:
            if getattr(card, what) != getattr(first, what):
                raise StockpotError(
                    f"{card.name}: its {what.replace('_', ' ')} differs from that of {first.name}; "
                    "only models of one architecture, preprocessing and class list can be mixed"
                )
        if one_start and _strangers(card, first):
            raise StockpotError(_different(card, first))


def check_tensors(ingredients: Mapping[str, Weights], heads: bool = True) -> None:
    """Raises StockpotError for an ingredient with other tensors than the first, or not finite.

    ingredients: name -> weights; every tensor is read once. heads: compare the heads' shapes.
    """
    first, *_ = ingredients
    expected = _shapes(ingredients[first], heads)
    for name, weights in ingredients.items():
        found = _shapes(weights, heads)
        for tensor in sorted(expected.keys() | found.keys()):
            if found.get(tensor) != expected.get(tensor):
                raise StockpotError(
                    f"{name}: its tensor {tensor} is {_shape(found.get(tensor))}, that of {first} "
                    f"{_shape(expected.get(tensor))}; ingredients must have the same tensors"
                )
        for tensor in weights.names:
            if not _finite(stored(weights, tensor)):
                raise StockpotError(
                    f"{name}: its tensor {tensor} has numbers that are not finite (NaN or "
                    "infinity), so it cannot be an ingredient"
                )


def check_starts(
    cards: list[Card], weights, held_out, allowed: bool
) -> dict[str, float]:
    """Do the models come from one start? Name -> barrier in points, of those that do not.

    cards: those compared with the first. weights: SHA-256 -> tensors. held_out: recipe ->
    (k, n). A model of unknown start is compared by its weights: their cosine with the first
    model's is at least ``RELATED`` within one line. Raises StockpotError for another start,
    unless that is allowed; then the barrier is measured, and logged.
    """
    first, barriers = cards[0], {}
    for card in cards[1:]:
        if UNKNOWN_START in (card.start, first.start):
            closeness = related(weights(card.sha256), weights(first.sha256))
            if closeness >= RELATED:
                log.info(
                    "%s: its start is unknown; its weights are close to those of %s (cosine %.2f)",
                    card.name,
                    first.name,
                    closeness,
                )
                continue
            reason = (
                f"{card.name}: its start is unknown, and its weights are far from those of "
                f"{first.name} (cosine {closeness:.2f}; within one line it is above {RELATED})"
            )
        elif _strangers(card, first):
            reason = _different(card, first)
        else:
            continue
        if not allowed:
            raise StockpotError(
                f"{reason}; allow_different_starts: true mixes it all the same and measures the "
                "barrier"
            )
        barriers[card.name] = barrier(held_out, first.sha256, card.sha256)
        log.warning(
            "%s. Halfway between them the held-out accuracy is %.1f points below the mean of the "
            "two: the barrier that a mix has to cross",
            reason,
            barriers[card.name],
        )
    return barriers


def check_line(start: Weights, end: Weights) -> None:
    """Raises StockpotError where a model of unknown start is far from the one that it is
    interpolated with."""
    if UNKNOWN_START in (start.card.start, end.card.start):
        closeness = related(end, start)
        if closeness < RELATED:
            raise StockpotError(
                f"{end.card.name}: its weights are far from those of {start.card.name} (cosine "
                f"{closeness:.2f}; within one line it is above {RELATED}), so no point between "
                "them is of use"
            )


def check_towers(cards: list[Card], weights) -> None:
    """Raises StockpotError for a tower that is far from the first: of another line of training.

    Under heads of several tasks the starts differ by their heads, so weights have to tell.
    """
    for card in cards[1:]:
        closeness = related(weights(card.sha256), weights(cards[0].sha256))
        if closeness < RELATED:
            raise StockpotError(
                f"{card.name}: its tower is far from that of {cards[0].name} (cosine "
                f"{closeness:.2f}; within one line it is above {RELATED})"
            )


def barrier(held_out, one: str, other: str) -> float:
    """Points of held-out accuracy that the mean of two models' weights lies below their mean.

    Frankle et al., ICML 2020 (linear mode connectivity), at the midpoint and of accuracies.
    """
    (a, n), (b, _), (middle, _) = (
        held_out(recipe)
        for recipe in (single(one), single(other), uniform([one, other]))
    )
    return 100 * ((a + b) / 2 - middle) / n


def related(one: Weights, other: Weights) -> float:
    """Cosine between all matrices of two towers, laid end to end."""
    shapes = one.shapes().items()
    matrices = [
        n for n, (shape, _) in shapes if n.startswith("visual.") and len(shape) >= 2
    ]
    return cosine(sum(gram([one, other], None, matrices).values()))


def _finite(source: Source) -> bool:
    parts = pieces([source], source.shape.numel())
    return all(bool(torch.isfinite(part).all()) for _, (part,) in parts)


def _strangers(card: Card, other: Card) -> bool:
    known = UNKNOWN_START not in (card.start, other.start)
    return known and card.origin() != other.origin()


def _different(card: Card, other: Card) -> str:
    return (
        f"{card.name}: it does not start from the same weights as {other.name}; "
        "a mix of models from different starts is no better than chance"
    )


def _shapes(weights: Weights, heads: bool) -> dict:
    return {
        n: s for n, s in weights.shapes().items() if heads or not n.startswith("head.")
    }


def _shape(found: tuple[list[int], str] | None) -> str:
    return f"{found[1]} {found[0]}" if found else "missing"
