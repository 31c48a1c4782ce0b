"""Sharpness-aware minimisation (Foret et al., ICLR 2021, equation 3)."""

import torch

from .objective import Loss


def sharpen(model: torch.nn.Module, loss_of: Loss, rho: float) -> None:
    """Replace the gradients by those at the worst point within ``rho`` (first order).

    model: with the gradients of the batch; its weights are afterwards what they were before.
    """
    moved = [p for p in model.parameters() if p.grad is not None]
    norm = torch.stack([p.grad.norm() for p in moved]).norm()
    kept = [p.detach().clone() for p in moved]
    with torch.no_grad():
        for p in moved:
            p.add_(p.grad, alpha=float(rho / (norm + 1e-12)))
    model.zero_grad(set_to_none=True)
    loss_of(model).backward()
    with torch.no_grad():
        for p, before in zip(moved, kept):
            p.copy_(before)
