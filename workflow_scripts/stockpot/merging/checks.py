"""Checks whether models can be mixed: by their cards, then by their weights.

The weights of models from one lineage (one zero-shot model) can be averaged; a mean of models
from different random weights is no better than chance.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

import torch

from ..models.card import UNKNOWN_LINEAGE, Card
from ..models.classifier import OpenWeights
from ..runtime.errors import StockpotError
from .geometry import gram_matrices, mean_cosine
from .linear import StoredTensor, iterate_chunks, lazy_tensor
from .recipe import single, uniform

log = logging.getLogger(__name__)

# Fields of a card that models need to have in common so that their towers fit together.
TOWER_CARD_FIELDS = (
    "architecture",
    "normalise",
    "mean",
    "std",
    "image_size",
    "resize_mode",
    "interpolation",
)
# Least cosine between the weights of two models of one lineage. Their matrices still point the
# same way after fine-tuning; those of models from two random starts are close to orthogonal.
MIN_COSINE = 0.5

# SHA-256 of a model -> its weights.
GetWeights = Callable[[str], OpenWeights]
# Recipe -> (images that its model gets right, images) on the held-out set.
HeldOut = Callable[[dict[str, Any]], tuple[float, int]]


def check_ingredients(
    cards: list[Card],
    *,
    one_start: bool = True,
    one_class_list: bool = True,
) -> None:
    """Check that the cards of models fit the first one's.

    A model of unknown start passes; ``check_starts`` looks at its weights.

    Args:
        cards: Cards of the ingredients, at least one.
        one_start: Whether all need the same initial weights.
        one_class_list: Whether all need the same classes.

    Raises:
        StockpotError: With the first ingredient that does not fit.
    """
    first = cards[0]
    fields: tuple[str, ...] = TOWER_CARD_FIELDS
    if one_class_list:
        fields = (*fields, "class_names")
    for card in cards:
        if card.status != "ok":
            raise StockpotError(
                f"{card.name}: this run {card.status} and cannot be an ingredient"
            )
        for field in fields:
            if getattr(card, field) != getattr(first, field):
                field_text = field.replace("_", " ")
                raise StockpotError(
                    f"{card.name}: its {field_text} differs from that of {first.name}; "
                    "only models of one architecture, preprocessing and class list can be mixed"
                )
        if one_start and _known_to_differ(card, first):
            raise StockpotError(_different_start_message(card, first))


def check_tensors(
    ingredients: Mapping[str, OpenWeights],
    *,
    heads: bool = True,
) -> None:
    """Check that models have the same tensors, and that all their numbers are finite.

    Every tensor is read once.

    Args:
        ingredients: Name -> weights, at least one.
        heads: Whether the heads need the same shapes too.

    Raises:
        StockpotError: With the first ingredient and tensor that do not fit.
    """
    first = next(iter(ingredients))
    # Headers first: comparing shapes reads no numbers.
    expected = _shapes(ingredients[first], heads=heads)
    for name, weights in ingredients.items():
        shapes = _shapes(weights, heads=heads)
        for tensor in sorted(expected.keys() | shapes.keys()):
            if shapes.get(tensor) != expected.get(tensor):
                raise StockpotError(
                    f"{name}: its tensor {tensor} is {_shape_text(shapes.get(tensor))}, "
                    f"that of {first} {_shape_text(expected.get(tensor))}; "
                    "ingredients must have the same tensors"
                )
        for tensor in weights.names:
            if not _is_finite(lazy_tensor(weights, tensor)):
                raise StockpotError(
                    f"{name}: its tensor {tensor} has numbers that are not finite (NaN or "
                    "infinity), so it cannot be an ingredient"
                )


def check_starts(
    cards: list[Card],
    weights: GetWeights,
    held_out: HeldOut,
    *,
    allowed: bool,
) -> dict[str, float]:
    """Check that models come from the same initial weights as the first one.

    A model of unknown start is compared by its weights.

    Args:
        cards: Cards of the models; the others are compared with the first.
        weights: Gets a model's weights.
        held_out: Evaluates a recipe on the held-out set.
        allowed: Whether another start is allowed. Its barrier is then measured and logged.

    Returns:
        Name -> barrier in percentage points, of the models from another start.

    Raises:
        StockpotError: If a model has another start, and that is not allowed.
    """
    first = cards[0]
    # A barrier needs three evaluations, so it is measured only where it is allowed to be.
    barriers = {}
    for card in cards[1:]:
        reason = _why_starts_differ(card, first, weights)
        if reason is None:
            continue
        if not allowed:
            raise StockpotError(
                f"{reason}; allow_different_lineages: true averages it nevertheless, and "
                "measures the barrier"
            )
        points = barrier(held_out, first.sha256, card.sha256)
        log.warning(
            "%s. The barrier between them is %.1f points: the held-out accuracy of their mean "
            "is so far below the mean of their accuracies",
            reason,
            points,
        )
        barriers[card.name] = points
    return barriers


def _why_starts_differ(
    card: Card,
    first: Card,
    weights: GetWeights,
) -> str | None:
    """What tells that a model has another start than the first one; None if nothing does."""
    # Cards that name their starts decide by themselves; no weights are read.
    if UNKNOWN_LINEAGE not in (card.start, first.start):
        if _known_to_differ(card, first):
            return _different_start_message(card, first)
        return None
    cosine = weight_cosine(weights(card.sha256), weights(first.sha256))
    if cosine < MIN_COSINE:
        return (
            f"{card.name}: its initial weights are unknown, and its weights are far from those "
            f"of {first.name} (cosine {cosine:.2f}; within one lineage it is above "
            f"{MIN_COSINE})"
        )
    log.info(
        (
            "%s: its initial weights are unknown; its weights are close to those of %s "
            "(cosine %.2f)"
        ),
        card.name,
        first.name,
        cosine,
    )
    return None


def check_lineage(
    start: OpenWeights,
    end: OpenWeights,
) -> None:
    """Check that two models can be interpolated, if the start of one is unknown.

    Args:
        start: The model at alpha 0.
        end: The model at alpha 1.

    Raises:
        StockpotError: If their weights are too far apart for one lineage.
    """
    if UNKNOWN_LINEAGE not in (start.card.start, end.card.start):
        return
    cosine = weight_cosine(end, start)
    if cosine < MIN_COSINE:
        raise StockpotError(
            f"{end.card.name}: its weights are far from those of {start.card.name} (cosine "
            f"{cosine:.2f}; within one lineage it is above {MIN_COSINE}), so no point between "
            "them is of use"
        )


def check_towers(
    cards: list[Card],
    weights: GetWeights,
) -> None:
    """Check that towers are of one lineage, by their weights.

    Models of several tasks have different heads, so their starts differ even where their towers
    come from one model.

    Args:
        cards: Cards of the models; the others are compared with the first.
        weights: Gets a model's weights.

    Raises:
        StockpotError: With the first tower that is too far from the first one.
    """
    first = cards[0]
    for card in cards[1:]:
        cosine = weight_cosine(weights(card.sha256), weights(first.sha256))
        if cosine < MIN_COSINE:
            raise StockpotError(
                f"{card.name}: its tower is far from that of {first.name} (cosine "
                f"{cosine:.2f}; within one lineage it is above {MIN_COSINE})"
            )


def barrier(
    held_out: HeldOut,
    first_sha256: str,
    second_sha256: str,
) -> float:
    """Measure the barrier between two models (Frankle et al., ICML 2020).

    The paper takes the largest rise of the error along the line (linear mode connectivity). Here
    it is measured at the midpoint.

    Args:
        held_out: Evaluates a recipe on the held-out set.
        first_sha256: Digest of one model.
        second_sha256: Digest of the other model.

    Returns:
        Percentage points of held-out accuracy that the mean of the weights lies below the mean of
        the two models.
    """
    # barrier = (acc(theta_1) + acc(theta_2)) / 2 - acc((theta_1 + theta_2) / 2)
    first_correct, image_count = held_out(single(first_sha256))
    second_correct, _ = held_out(single(second_sha256))
    midpoint_correct, _ = held_out(uniform([first_sha256, second_sha256]))
    mean_correct = (first_correct + second_correct) / 2
    return 100 * (mean_correct - midpoint_correct) / image_count


def weight_cosine(
    first: OpenWeights,
    second: OpenWeights,
) -> float:
    """Compute the cosine between all matrices of two towers, laid end to end.

    Args:
        first: One model.
        second: The other model, with the same tensors.

    Returns:
        A number between -1 and 1.
    """
    # Vectors (biases, norms) start alike in all models, so only matrices tell models apart.
    matrices = []
    for name, (shape, _) in first.shapes().items():
        if name.startswith("visual.") and len(shape) >= 2:
            matrices.append(name)
    grams = gram_matrices([first, second], None, matrices)
    # An empty sum would be 0, but every tower has matrices.
    total = cast(torch.Tensor, sum(grams.values()))
    return mean_cosine(total)


def _is_finite(source: StoredTensor) -> bool:
    # Chunk by chunk, as a whole tensor and its mask would take memory twice.
    for _, (chunk,) in iterate_chunks([source], source.shape.numel()):
        if not bool(torch.isfinite(chunk).all()):
            return False
    return True


def _known_to_differ(
    card: Card,
    other: Card,
) -> bool:
    """Do two models of known start come from different initial weights?"""
    if UNKNOWN_LINEAGE in (card.start, other.start):
        return False
    return card.origin() != other.origin()


def _different_start_message(
    card: Card,
    other: Card,
) -> str:
    return (
        f"{card.name}: it does not have the same initial weights as {other.name}; the mean of "
        "models with different initial weights is no better than chance"
    )


def _shapes(
    weights: OpenWeights,
    *,
    heads: bool,
) -> dict[str, tuple[list[int], str]]:
    """Tensor name -> shape and type, with or without the head's tensors."""
    shapes = weights.shapes()
    if heads:
        return dict(shapes)
    return {
        name: shape for name, shape in shapes.items() if not name.startswith("head.")
    }


def _shape_text(shape_and_type: tuple[list[int], str] | None) -> str:
    if not shape_and_type:
        return "missing"
    shape, dtype = shape_and_type
    return f"{dtype} {shape}"
