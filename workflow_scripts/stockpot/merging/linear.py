"""Linear mixing of weights, tensor by tensor."""

import math
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from ..models.card import Card
from .coefficients import Coefficient, combined, shares

# Numbers summed in one step on a CPU. The sum and its parts stay in the processor's cache, and
# torch runs a step in one thread: threads that meet after every step lose a hundredfold as soon
# as the cores have other work too.
STEP = 2**15


def mix(tensors: Iterable[tuple[float, torch.Tensor]]) -> torch.Tensor:
    """The linear combination of equally shaped tensors, accumulated in float64.

    Returns a tensor of the type of the ingredients. A single coefficient of 1 returns the
    ingredient itself; integer tensors (counters) are copied from the first.
    """
    pairs = list(tensors)
    if _is_first(pairs):
        return pairs[0][1]
    target = torch.empty_like(pairs[0][1], memory_format=torch.contiguous_format)
    mix_into(target, pairs)
    return target


@torch.inference_mode()
def mix_into(target: torch.Tensor, pairs: list[tuple[float, torch.Tensor]]) -> None:
    """Write ``mix(pairs)`` into a contiguous tensor of any type, on any device.

    The sum is rounded to the ingredients' type before it is rounded to the target's, so the
    same numbers arrive wherever the ingredients lie.
    """
    first = pairs[0][1]
    if _is_first(pairs):
        target.copy_(first)
        return
    flat, device = target.view(-1), target.device
    parts = [(coefficient, tensor.reshape(-1)) for coefficient, tensor in pairs]
    step = STEP if device.type == "cpu" else max(1, len(flat))
    for start in range(0, len(flat), step):
        place = flat[start : start + step]
        total = torch.zeros(len(place), dtype=torch.float64, device=device)
        for coefficient, part in parts:
            total.add_(part[start : start + step].to(device), alpha=coefficient)
        place.copy_(total.to(first.dtype))


def mix_all(jobs: list[tuple[torch.Tensor, list[tuple[float, torch.Tensor]]]]) -> None:
    """``mix_into`` for pairs of target and ingredients; on a CPU its threads share the targets."""
    on_cpu = all(target.device.type == "cpu" for target, _ in jobs)
    with ThreadPoolExecutor(torch.get_num_threads() if on_cpu else 1) as pool:
        for _ in pool.map(lambda job: mix_into(*job), jobs):
            pass


def _is_first(pairs: list[tuple[float, torch.Tensor]]) -> bool:
    """Is the mix the first ingredient as it is?"""
    coefficient, tensor = pairs[0]
    return (len(pairs) == 1 and coefficient == 1) or not tensor.is_floating_point()


def mixed(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Mapping],
    names: Iterable[str],
):
    """Yield (name, tensor) of the mix; one tensor of each ingredient is in memory at a time.

    coefficients: ingredient -> number, or one per part. ingredients: ingredient -> tensors by
    name. The sum runs in the order of the ingredients' names, so any order given yields the
    same bytes.
    """
    for name in names:
        yield name, mix((c, ingredients[key][name]) for c, key in shares(coefficients, name))


def tower_coefficients(
    coefficients: Mapping[str, Coefficient], cards: Mapping[str, Card]
) -> dict[str, Coefficient]:
    """The coefficients of the tower alone: ingredients with one and the same tower leave it as is.

    cards: ingredient -> card. An affine mix of equal towers is that tower; taking it from one
    ingredient saves the sum and its rounding.
    """
    one_tower = len({cards[key].tower_sha256 for key in coefficients}) == 1
    if one_tower and _affine(coefficients):
        return {min(coefficients): 1.0}
    return dict(coefficients)


def _affine(coefficients: Mapping[str, Coefficient]) -> bool:
    """Do they sum to 1, in every part?"""
    total = combined(lambda *numbers: round(math.fsum(numbers), 9), *coefficients.values())
    return total == 1
