"""Merges that treat every number of the weights separately, in chunks that stay small."""

from collections.abc import Callable, Iterator, Sequence

import torch

from .linear import Tensors, iterate_chunks, lazy_tensor

# (initial weights float64 [p], updates float64 [k, p], tensor name, index of the chunk's first
# number) -> merged weights [p]
Rule = Callable[[torch.Tensor, torch.Tensor, str, int], torch.Tensor]


def merge_elementwise(
    rule: Rule,
    start: Tensors,
    weights: Sequence[Tensors],
    names: list[str],
) -> Iterator[tuple[str, torch.Tensor]]:
    """Merge the updates of several models by a rule for single numbers.

    One chunk of every ingredient is in memory as float64.

    Args:
        rule: Merges one chunk.
        start: Initial weights of all ingredients.
        weights: Tensors of each ingredient.
        names: Names of the tensors, in the order in which they are wanted.

    Yields:
        (name, merged tensor) of the type of ``start``. Tensors of integers are those of
        ``start``.
    """
    for name in names:
        origin = lazy_tensor(start, name)
        if not origin.is_floating_point():
            yield name, start[name]
            continue
        sources = [origin, *(lazy_tensor(model, name) for model in weights)]
        # Flat, and given its shape at the end.
        merged = torch.empty(origin.shape.numel(), dtype=origin.dtype)
        for begin, (base_chunk, *chunks) in iterate_chunks(sources, len(merged)):
            base = base_chunk.double()
            # Task vectors: theta_i - theta_0.
            updates = torch.stack([chunk.double() for chunk in chunks]) - base
            result = rule(base, updates, name, begin)
            merged[begin : begin + len(base)] = result.to(merged.dtype)
        yield name, merged.reshape(origin.shape)


def magnitude_threshold(
    start: Tensors,
    weights: Tensors,
    names: list[str],
    density: float,
) -> float:
    """Find the least magnitude among the largest numbers of a whole update.

    All magnitudes of the update are in memory, as float32.

    Args:
        start: Initial weights.
        weights: Weights after training.
        names: Names of the tensors.
        density: Fraction of the numbers that count as largest, above 0 and at most 1.

    Returns:
        The magnitude from which on a number is among the largest.
    """
    magnitudes = []
    for name in names:
        before = lazy_tensor(start, name)
        after = lazy_tensor(weights, name)
        if not before.is_floating_point():
            continue
        chunks = iterate_chunks([before, after], before.shape.numel())
        for _, (chunk_before, chunk_after) in chunks:
            magnitudes.append((chunk_after.float() - chunk_before.float()).abs())
    all_magnitudes = torch.cat(magnitudes)
    total_count = all_magnitudes.numel()
    kept_count = max(1, round(density * total_count))
    # kthvalue counts from the smallest: the smallest of those kept is at this rank.
    rank = total_count - kept_count + 1
    return float(all_magnitudes.kthvalue(rank).values)
