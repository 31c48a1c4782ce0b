"""Sharpness-aware minimisation (Foret et al., ICLR 2021, equation 3)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from .loss import BatchLoss


def sharpen(model: torch.nn.Module, loss_of: BatchLoss, rho: float) -> None:
    """Replace the gradients by those at the worst point within ``rho`` (first order).

    model: with the gradients of the batch; its weights are afterwards what they were before. The
    running statistics of BatchNorm are those of the first pass: the second, at other weights, does
    not count, as is usual.
    """
    moved = [p for p in model.parameters() if p.grad is not None]
    norm = torch.stack([p.grad.norm() for p in moved]).norm()
    kept = [p.detach().clone() for p in moved]
    with torch.no_grad():
        for p in moved:
            p.add_(p.grad, alpha=float(rho / (norm + 1e-12)))
    model.zero_grad(set_to_none=True)
    with statistics_kept(model):
        loss_of(model).backward()
    with torch.no_grad():
        for p, before in zip(moved, kept):
            p.copy_(before)


@contextmanager
def statistics_kept(model: torch.nn.Module) -> Iterator[None]:
    """BatchNorm goes by the batch within, but its running statistics stay as they are."""
    layers = [layer for layer in model.modules() if isinstance(layer, _BatchNorm)]
    buffers = [buffer for layer in layers for buffer in layer.buffers()]
    before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, kept in zip(buffers, before):
            buffer.copy_(kept)
