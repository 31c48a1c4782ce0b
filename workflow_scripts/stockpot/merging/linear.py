"""Linear mixing of weights, tensor by tensor."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from ..models.card import Card
from ..models.stream import Stored
from .coefficients import Coefficient, combined, shares

# Numbers summed in one step on a CPU. The sum and its parts stay in the processor's cache, and
# torch runs a step in one thread: threads that meet after every step lose a hundredfold as soon
# as the cores have other work too.
STEP = 2**15


Source = torch.Tensor | Stored


def stored(model: Mapping[str, torch.Tensor], name: str) -> Source:
    """One tensor of a model; of a file, one that is read slice by slice."""
    return model.stored(name) if hasattr(model, "stored") else model[name]


def flat(source: Source) -> Source:
    return source if isinstance(source, Stored) else source.reshape(-1)


def whole(model: Mapping[str, torch.Tensor], name: str) -> torch.Tensor:
    """A tensor of a model in memory of its own; of a file, nothing stays mapped."""
    source = stored(model, name)
    return source[:].view(source.shape) if isinstance(source, Stored) else source


def mix(sources: Iterable[tuple[float, Source]]) -> torch.Tensor:
    """The linear combination of equally shaped tensors, accumulated in float64.

    Returns a tensor of the type of the ingredients. A single coefficient of 1 returns the
    ingredient itself; integer tensors (counters) are copied from the first.
    """
    pairs = list(sources)
    first = pairs[0][1]
    if _is_first(pairs) and isinstance(first, torch.Tensor):
        return first
    target = torch.empty(first.shape, dtype=first.dtype)
    mix_into(target, pairs)
    return target


@torch.inference_mode()
def mix_into(target: torch.Tensor, pairs: list[tuple[float, Source]]) -> None:
    """Write ``mix(pairs)`` into a contiguous tensor of any type, on any device.

    The sum is rounded to the ingredients' type before it is rounded to the target's, so the
    same numbers arrive wherever the ingredients lie.
    """
    place, device = target.view(-1), target.device
    parts = [(coefficient, flat(source)) for coefficient, source in pairs]
    for _, part in parts:
        if len(part) != len(place):
            raise ValueError(f"{len(part)} numbers cannot be mixed with {len(place)}")
    dtype = pairs[0][1].dtype
    if _is_first(pairs):
        parts = parts[:1]
    step = STEP if device.type == "cpu" else max(1, len(place))
    for start in range(0, len(place), step):
        end = min(start + step, len(place))
        if _is_first(pairs):
            place[start:end].copy_(parts[0][1][start:end])
            continue
        total = torch.zeros(end - start, dtype=torch.float64, device=device)
        for coefficient, part in parts:
            total.add_(part[start:end].to(device), alpha=coefficient)
        place[start:end].copy_(total.to(dtype))


def mix_all(jobs: list[tuple[torch.Tensor, list[tuple[float, Source]]]]) -> None:
    """``mix_into`` for pairs of target and ingredients; on a CPU its threads share the targets."""
    on_cpu = all(target.device.type == "cpu" for target, _ in jobs)
    with ThreadPoolExecutor(torch.get_num_threads() if on_cpu else 1) as pool:
        for _ in pool.map(lambda job: mix_into(*job), jobs):
            pass


def _is_first(pairs: list[tuple[float, Source]]) -> bool:
    """Is the mix the first ingredient as it is?"""
    coefficient, source = pairs[0]
    return (len(pairs) == 1 and coefficient == 1) or not source.is_floating_point()


def mixed(
    coefficients: Mapping[str, Coefficient],
    ingredients: Mapping[str, Mapping],
    names: Iterable[str],
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (name, tensor) of the mix, a few tensors ahead; pieces of ingredients are in memory.

    coefficients: ingredient -> number, or one per part. ingredients: ingredient -> tensors by
    name. The sum runs in the order of the ingredients' names, so any order given yields the
    same bytes. Threads mix what comes next while the caller writes what came before.
    """

    def one(name: str) -> tuple[str, torch.Tensor]:
        return name, mix(
            (c, stored(ingredients[key], name)) for c, key in shares(coefficients, name)
        )

    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque = deque()
        for name in names:
            ahead.append(pool.submit(one, name))
            if len(ahead) > threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


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
