"""Norms and angles of updates, tensor by tensor, from weights that are read chunk by chunk."""

from collections.abc import Iterable, Mapping, Sequence

import torch

from .coefficients import block_prefix
from .linear import Tensors, iterate_chunks, lazy_tensor

# The least divisor: the product of two norms may be zero, and zero by zero is no number.
_LEAST_DIVISOR = 1e-300


def gram_matrices(
    weights: Sequence[Tensors],
    start: Tensors | None,
    names: Iterable[str],
) -> dict[str, torch.Tensor]:
    """Compute the inner products of the models' updates, tensor by tensor.

    Only a chunk of each model's tensor is in memory as float64, so memory hardly grows with the
    number of models.

    Args:
        weights: Tensors of each of k models.
        start: Initial weights, which the updates begin at. If None, the inner products are those
            of the weights themselves.
        names: Names of the tensors.

    Returns:
        Tensor name -> float64 [k, k]. Tensors of integers are left out.
    """
    grams = {}
    for name in names:
        sources = [lazy_tensor(model, name) for model in weights]
        if not sources[0].is_floating_point():
            continue
        if start is not None:
            sources.append(lazy_tensor(start, name))
        gram = torch.zeros(len(weights), len(weights), dtype=torch.float64)
        for _, chunks in iterate_chunks(sources, sources[0].shape.numel()):
            rows = torch.stack([chunk.double() for chunk in chunks])
            # The last row is the start: theta_i - theta_0 for the others.
            if start is not None:
                rows = rows[:-1] - rows[-1]
            # Inner products of whole tensors are sums over their chunks.
            gram += rows @ rows.T
        grams[name] = gram
    return grams


def sum_per_block(grams: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Compute the inner products of whole blocks.

    Args:
        grams: Tensor name -> Gram matrix [k, k].

    Returns:
        Prefix of the block -> sum of the matrices of its tensors [k, k].
    """
    sums: dict[str, torch.Tensor] = {}
    for name, gram in grams.items():
        prefix = block_prefix(name)
        if prefix in sums:
            sums[prefix] = sums[prefix] + gram
        else:
            sums[prefix] = gram.clone()
    return sums


def mean_cosine(gram: torch.Tensor) -> float:
    """Compute the mean cosine over all pairs of updates.

    Args:
        gram: Gram matrix of k updates, float64 [k, k].

    Returns:
        A number between -1 and 1. The cosine with an update of zero counts as 0; a single update
        has the mean 1.
    """
    norms = gram.diagonal().sqrt()
    norm_products = norms[:, None] * norms[None, :]
    # cos_ij = <u_i, u_j> / (|u_i| |u_j|)
    quotients = gram / norm_products.clamp_min(_LEAST_DIVISOR)
    cosines = torch.where(norm_products > 0, quotients, 0.0)
    rows, columns = torch.triu_indices(len(gram), len(gram), offset=1)
    pairs = cosines[rows, columns]
    if len(pairs) == 0:
        return 1.0
    return float(pairs.mean().clamp(-1, 1))
