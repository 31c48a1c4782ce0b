"""Diagonal Fisher information of a classifier (Matena and Raffel, NeurIPS 2022, section 2)."""

import torch
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel


def fisher_diagonal(
    model: torch.nn.Module,
    images: torch.Tensor,
    generator: torch.Generator,
    chunk: int = 8,
) -> dict[str, torch.Tensor]:
    """Parameter name -> float32 mean over examples of the squared gradient of the log-likelihood.

    images: normalised, float32 [n, 3, h, w]. Labels are drawn from the model's own
    predictions, one per example, so this is the Fisher information and not the empirical one;
    gradients are squared example by example, ``chunk`` at a time, into one running sum.
    """
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    buffers = dict(model.named_buffers())
    sums = {name: torch.zeros_like(p) for name, p in parameters.items()}

    def log_likelihood(p, image, chosen):
        logits = functional_call(model, (p, buffers), (image[None],))
        return (logits.log_softmax(1)[0] * chosen).sum()

    per_example = vmap(grad(log_likelihood), in_dims=(None, 0, 0))
    # The fused attention kernels have no rule for gradients of many examples at once.
    with sdpa_kernel(SDPBackend.MATH):
        for batch in images.split(chunk):
            with torch.no_grad():
                probabilities = model(batch).softmax(1)
            labels = torch.multinomial(probabilities.cpu(), 1, generator=generator)[
                :, 0
            ]
            chosen = functional.one_hot(labels, probabilities.shape[1]).to(
                probabilities
            )
            for name, g in per_example(parameters, batch, chosen).items():
                sums[name] += g.square().sum(0)
    return {name: total / len(images) for name, total in sums.items()}
