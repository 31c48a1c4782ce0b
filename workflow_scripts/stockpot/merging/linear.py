"""Linear mixing of weights, tensor by tensor."""

from collections.abc import Iterable, Mapping

import torch


def mix(tensors: Iterable[tuple[float, torch.Tensor]]) -> torch.Tensor:
    """The linear combination of equally shaped tensors, accumulated in float64.

    Returns a tensor of the type of the ingredients. A single coefficient of 1 returns the
    ingredient itself; integer tensors (counters) are copied from the first.
    """
    pairs = list(tensors)
    first = pairs[0][1]
    if len(pairs) == 1 and pairs[0][0] == 1:
        return first
    if not first.is_floating_point():
        return first
    total = torch.zeros_like(first, dtype=torch.float64)
    for coefficient, tensor in pairs:
        total.add_(tensor, alpha=coefficient)
    return total.to(first.dtype)


def mixed(
    coefficients: Mapping[str, float], ingredients: Mapping[str, Mapping], names: Iterable[str]
):
    """Yield (name, tensor) of the mix; one tensor of each ingredient is in memory at a time.

    coefficients: ingredient -> number. ingredients: ingredient -> tensors by name. The sum
    runs in the order of the ingredients' names, so any order given yields the same bytes.
    """
    order = sorted(coefficients)
    for name in names:
        yield name, mix((coefficients[key], ingredients[key][name]) for key in order)
