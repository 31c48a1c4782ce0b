"""Diagonal Fisher information of a classifier (Matena and Raffel, NeurIPS 2022, section 2)."""

from collections.abc import Callable

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
    """Compute the diagonal Fisher information of all parameters.

    Labels are drawn from the model's own predictions, one per example, so this is the Fisher
    information and not the empirical one. Gradients are squared example by example and added to
    one running sum.

    Args:
        model: A classifier in evaluation mode.
        images: Normalised images, float32 [n, 3, h, w].
        generator: Draws the labels.
        chunk: Images whose gradients are in memory at a time.

    Returns:
        Parameter name -> float32, in its shape: the mean over the examples of the squared
        gradient of the log-likelihood.
    """
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    sums = {name: torch.zeros_like(p) for name, p in parameters.items()}
    per_example = _gradients_per_example(model)
    # The fused attention kernels have no rule for gradients of many examples at once.
    with sdpa_kernel(SDPBackend.MATH):
        for batch in images.split(chunk):
            one_hot = _sampled_labels(model, batch, generator)
            gradients = per_example(parameters, batch, one_hot)
            # F = E[(d log p(y | x) / d theta)^2] (section 2)
            for name, gradient in gradients.items():
                sums[name] += gradient.square().sum(0)
    return {name: total / len(images) for name, total in sums.items()}


def _gradients_per_example(
    model: torch.nn.Module,
) -> Callable[..., dict[str, torch.Tensor]]:
    """A function of parameters, images and one-hot labels; it gives a gradient per example."""
    buffers = dict(model.named_buffers())

    def log_likelihood(
        parameters: dict[str, torch.Tensor],
        image: torch.Tensor,
        one_hot: torch.Tensor,
    ) -> torch.Tensor:
        """The log-likelihood log p(y | x) of one image."""
        logits = functional_call(model, (parameters, buffers), (image[None],))
        log_probabilities = logits.log_softmax(1)[0]
        return (log_probabilities * one_hot).sum()

    # Over dimension 0 of the images and of the labels; the parameters are the same for all.
    return vmap(grad(log_likelihood), in_dims=(None, 0, 0))


def _sampled_labels(
    model: torch.nn.Module,
    batch: torch.Tensor,
    generator: torch.Generator,
) -> torch.Tensor:
    """One label per image, drawn from the model's own probabilities, one-hot [n, classes]."""
    with torch.no_grad():
        probabilities = model(batch).softmax(1)
    # Drawn on the CPU, so that a seed gives the same labels on every device.
    draws = torch.multinomial(probabilities.cpu(), 1, generator=generator)
    one_hot = functional.one_hot(draws[:, 0], probabilities.shape[1])
    return one_hot.to(probabilities)
