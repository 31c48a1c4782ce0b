"""Sharpness-aware minimisation (SAM; Foret et al., ICLR 2021, equation 3)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from .loss import BatchLoss

EPSILON = 1e-12  # keeps the step finite where all gradients are 0


def replace_with_sam_gradients(
    model: torch.nn.Module,
    batch_loss: BatchLoss,
    rho: float,
) -> None:
    """Replace the gradients by those at the worst point within ``rho`` (first order).

    The weights are afterwards what they were before. The running statistics of BatchNorm are
    those of the first pass: the second, at other weights, does not count, as is usual.

    Args:
        model: Its parameters hold the gradients of the batch.
        batch_loss: The loss of the batch as a function of the model.
        rho: Radius of the neighbourhood, a Euclidean distance between weights.
    """
    trained = [p for p in model.parameters() if p.grad is not None]
    gradient_norm = torch.stack([p.grad.norm() for p in trained]).norm()
    weights_before = [p.detach().clone() for p in trained]
    # Equation 2: the worst point is theta + rho g / ||g||, to first order.
    step_size = float(rho / (gradient_norm + EPSILON))
    with torch.no_grad():
        for parameter in trained:
            parameter.add_(parameter.grad, alpha=step_size)
    model.zero_grad(set_to_none=True)
    # Equation 3: the gradient at the worst point serves for a step from theta.
    with _running_statistics_kept(model):
        batch_loss(model).backward()
    with torch.no_grad():
        for parameter, before in zip(trained, weights_before):
            parameter.copy_(before)


@contextmanager
def _running_statistics_kept(model: torch.nn.Module) -> Iterator[None]:
    """Let BatchNorm use the batch's statistics, but restore its running ones afterwards."""
    buffers = []
    for layer in model.modules():
        if isinstance(layer, _BatchNorm):
            buffers.extend(layer.buffers())
    values_before = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        for buffer, before in zip(buffers, values_before):
            buffer.copy_(before)
