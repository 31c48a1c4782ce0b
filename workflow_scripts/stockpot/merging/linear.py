"""Linear mixing of weights, tensor by tensor."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import torch

from ..models.card import Card
from ..models.stream import LazyTensor
from .coefficients import Coefficient, combined, shares

# Numbers summed in one step on a CPU. The sum and its parts stay in the processor's cache, and
# torch runs a step in one thread: threads that meet after every step lose a hundredfold as soon
# as the cores have other work too.
STEP = 2**15
PART = 2**18  # numbers that are written at once

Source = torch.Tensor | LazyTensor
Write = Callable[[str, torch.Tensor, int], None]


def stored(model: Mapping[str, torch.Tensor], name: str) -> Source:
    """One tensor of a model; of a file, one that is read slice by slice."""
    return model.stored(name) if hasattr(model, "stored") else model[name]


def whole(source: Source) -> torch.Tensor:
    return source.read() if isinstance(source, LazyTensor) else source


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


def mix_into(target: torch.Tensor, pairs: list[tuple[float, Source]]) -> None:
    """Write ``mix(pairs)`` into a contiguous tensor of any type, on any device.

    The sum is rounded to the ingredients' type before it is rounded to the target's, so the
    same numbers arrive wherever the ingredients lie. ValueError for shapes that differ.
    """
    _mix_part(target.view(-1), pairs, target.numel(), 0)


@torch.inference_mode()
def _mix_part(
    place: torch.Tensor, pairs: list[tuple[float, Source]], n: int, first: int
) -> None:
    """Fill ``place`` with the mix's numbers from ``first`` on; sources have n numbers each."""
    device, dtype, last = place.device, pairs[0][1].dtype, first + len(place)
    if _is_first(pairs):
        for start, (part,) in pieces([pairs[0][1]], n, STEP, first, last):
            place[start - first : start - first + len(part)].copy_(part)
        return
    step = min(STEP, len(place)) if device.type == "cpu" else len(place)
    total = torch.empty(step, dtype=torch.float64, device=device)
    for start, parts in pieces([source for _, source in pairs], n, step, first, last):
        end = start + len(parts[0])
        total = total[: end - start].zero_()
        for (coefficient, _), part in zip(pairs, parts):
            total.add_(part.to(device), alpha=coefficient)
        place[start - first : end - first].copy_(total.to(dtype))


def pieces(
    sources: list[Source],
    n: int,
    step: int = STEP,
    first: int = 0,
    last: int | None = None,
) -> Iterator[tuple[int, list[torch.Tensor]]]:
    """Yield (first number, that piece of every source) of sources of n numbers each.

    first, last: where to begin and end. A piece of a file is in memory until the next is asked
    for. ValueError for another n.
    """
    readers = []
    for source in sources:
        if source.shape.numel() != n:
            raise ValueError(f"{source.shape.numel()} numbers cannot be mixed with {n}")
        readers.append(
            source.reader(step) if isinstance(source, LazyTensor) else _slices(source)
        )
    last = n if last is None else last
    for start in range(first, last, max(1, step)):
        end = min(start + step, last)
        yield start, [read(start, end) for read in readers]


def _slices(source: torch.Tensor):
    flat = source.reshape(-1)
    return lambda start, end: flat[start:end]


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
    write: Write | None = None,
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (name, numbers) of the mix: every tensor flat, in consecutive parts of ``PART``.

    coefficients: ingredient -> number, or one per part of the model. ingredients: ingredient ->
    tensors by name. The sum runs in the order of the ingredients' names, so any order given
    yields the same bytes. Threads mix, and hand to ``write``, what comes next while the caller
    looks at what came before. write: gets name, part, and how many bytes of the tensor precede.
    """

    def jobs():
        for name in names:
            pairs = [
                (c, stored(ingredients[key], name))
                for c, key in shares(coefficients, name)
            ]
            n = pairs[0][1].shape.numel()
            for first in range(0, max(1, n), PART):
                yield name, pairs, n, first

    def one(name, pairs, n: int, first: int) -> tuple[str, torch.Tensor]:
        place = torch.empty(min(PART, n - first), dtype=pairs[0][1].dtype)
        _mix_part(place, pairs, n, first)
        if write:
            write(name, place, first * place.element_size())
        return name, place

    threads = torch.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque = deque()
        for job in jobs():
            ahead.append(pool.submit(one, *job))
            if len(ahead) > threads + 1:
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
    total = combined(
        lambda *numbers: round(math.fsum(numbers), 9), *coefficients.values()
    )
    return total == 1
