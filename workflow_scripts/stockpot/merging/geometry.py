"""Norms and angles of updates, tensor by tensor, from weights that are read piece by piece."""

from collections.abc import Iterable, Mapping

import torch

from .coefficients import block
from .linear import pieces, stored


def gram(
    weights: list[Mapping[str, torch.Tensor]],
    start: Mapping[str, torch.Tensor] | None,
    names: Iterable[str],
) -> dict[str, torch.Tensor]:
    """Tensor name -> float64 [k, k], the inner products of the models' updates from ``start``.

    Without a start, of the weights themselves. Tensors of integers are left out. Only a piece
    of each model's tensor is in memory as float64, so memory hardly grows with their number.
    """
    found = {}
    for name in names:
        sources = [stored(model, name) for model in weights]
        if not sources[0].is_floating_point():
            continue
        sources += [] if start is None else [stored(start, name)]
        total = torch.zeros(len(weights), len(weights), dtype=torch.float64)
        for _, parts in pieces(sources, sources[0].shape.numel()):
            rows = torch.stack([part.double() for part in parts])
            if start is not None:
                rows = rows[:-1] - rows[-1]
            total += rows @ rows.T
        found[name] = total
    return found


def per_block(grams: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The inner products of whole blocks: the sums over their tensors."""
    found: dict[str, torch.Tensor] = {}
    for name, products in grams.items():
        part = block(name)
        found[part] = found[part] + products if part in found else products.clone()
    return found


def cosine(products: torch.Tensor) -> float:
    """Mean cosine over all pairs of a Gram matrix [k, k]; 0 where an update is zero."""
    norms = products.diagonal().sqrt()
    scale = norms[:, None] * norms[None, :]
    rows, columns = torch.triu_indices(len(products), len(products), offset=1)
    pairs = torch.where(scale > 0, products / scale.clamp_min(1e-300), 0.0)[
        rows, columns
    ]
    return float(pairs.mean().clamp(-1, 1)) if len(pairs) else 1.0
