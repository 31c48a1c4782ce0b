"""The Fisher information is a sum of squared gradients, example by example."""

import torch

from stockpot.merging.fisher_information import fisher_diagonal
from tests.support.merge_methods import small_classifier


def by_example(model, images, labels) -> dict:
    """The squared gradients of one example after the other."""
    sums = {}
    for image, label in zip(images, labels):
        model.zero_grad()
        model(image[None]).log_softmax(1)[0, label].backward()
        for name, p in model.named_parameters():
            sums[name] = sums.get(name, 0) + p.grad.square() / len(images)
    return sums


def test_the_fisher_information_is_squared_example_by_example():
    model = small_classifier(1)
    images = torch.randn(
        20, 3, 2, 2, generator=torch.Generator().manual_seed(9)
    ).double()
    found = fisher_diagonal(model, images, torch.Generator().manual_seed(0), chunk=7)
    generator = torch.Generator().manual_seed(0)
    drawn = [
        torch.multinomial(model(part).softmax(1).detach(), 1, generator=generator)[:, 0]
        for part in images.split(7)
    ]
    expected = by_example(model, images, torch.cat(drawn))
    assert all(torch.allclose(found[name], expected[name], rtol=1e-9) for name in found)
