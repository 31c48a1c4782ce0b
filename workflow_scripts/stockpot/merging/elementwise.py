"""Merges that treat every number of the weights by itself, in pieces that stay small."""

from collections.abc import Callable, Iterator, Mapping

import torch

from .linear import pieces, stored

Tensors = Mapping[str, torch.Tensor]
# (base float64 [p], updates float64 [k, p], tensor name, first number of the piece) -> [p]
Rule = Callable[[torch.Tensor, torch.Tensor, str, int], torch.Tensor]


def elementwise(
    rule: Rule, start: Tensors, weights: list[Tensors], names: list[str]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (name, merged tensor) of the type of ``start``; integers are those of ``start``.

    One piece of ``STEP`` numbers of every ingredient is in memory as float64.
    """
    for name in names:
        origin = stored(start, name)
        if not origin.is_floating_point():
            yield name, start[name]
            continue
        sources = [origin, *(stored(w, name) for w in weights)]
        merged = torch.empty(origin.shape.numel(), dtype=origin.dtype)
        for begin, (base, *parts) in pieces(sources, len(merged)):
            piece = base.double()
            updates = torch.stack([part.double() for part in parts]) - piece
            merged[begin : begin + len(piece)] = rule(piece, updates, name, begin).to(
                merged.dtype
            )
        yield name, merged.reshape(origin.shape)


def magnitude(
    start: Tensors, weights: Tensors, names: list[str], density: float
) -> float:
    """The least magnitude among the ``density`` largest numbers of a whole update.

    All magnitudes of one update are in memory, as float32.
    """
    sizes = []
    for name in names:
        base, end = stored(start, name), stored(weights, name)
        if base.is_floating_point():
            both = pieces([base, end], base.shape.numel())
            sizes += [
                (after.float() - before.float()).abs() for _, (before, after) in both
            ]
    every = torch.cat(sizes)
    kept = max(1, round(density * every.numel()))
    return float(every.kthvalue(every.numel() - kept + 1).values)
