"""The training of learned soups is that with all ingredients in memory."""

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional

from stockpot.merging.learned_coefficients import MixedModel, constrained, unconstrained
from stockpot.merging.methods.learned import train
from stockpot.training.loop import Batches
from tests.support.merge_methods import small_network


@pytest.mark.parametrize("space", ["simplex", "hyperplane", "free"])
def test_the_whole_training_is_that_with_all_ingredients_in_memory(
    images_and_labels, networks, space
):
    """As the originals train, by autograd through every ingredient: the same coefficients."""
    spec = {
        "space": space,
        "temperature": True,
        "epochs": 4,
        "images_per_step": 10,
        "lr": 0.05,
        "ingredients_per_step": 0,
        "seed": 0,
    }
    x, labels = images_and_labels
    batches = Batches(x, labels, lambda x, generator: x)
    found, beta, _ = train(MixedModel(small_network(), networks, [""]), batches, spec)

    model = small_network().eval()
    raw = torch.full((4, 1), 0.25 if space == "free" else 0.0, dtype=torch.float64)
    raw.requires_grad_()
    log_beta = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([raw, log_beta], lr=spec["lr"])
    generator = torch.Generator().manual_seed(0)
    for _ in range(spec["epochs"]):
        order = torch.randperm(len(x), generator=generator)
        torch.randperm(4, generator=generator)
        for rows in order.split(spec["images_per_step"]):
            a = constrained(raw, space, torch.ones(1))
            weights = {
                n: sum(a[i, 0] * m[n] for i, m in enumerate(networks))
                for n in networks[0]
            }
            logits = functional_call(model, weights, x[rows])
            optimizer.zero_grad()
            functional.cross_entropy(log_beta.exp() * logits, labels[rows]).backward()
            optimizer.step()
    assert torch.allclose(found, constrained(raw, space, torch.ones(1)), atol=1e-6)
    assert beta == pytest.approx(log_beta.exp().item(), abs=1e-5)


@pytest.mark.parametrize("space", ["simplex", "hyperplane"])
def test_ingredients_that_are_not_chosen_stay_where_they_are(
    images_and_labels, networks, space
):
    """One epoch of two of the four: as autograd over these two alone, their sum kept."""
    spec = {
        "space": space,
        "temperature": False,
        "epochs": 1,
        "images_per_step": 10,
        "lr": 0.1,
        "ingredients_per_step": 2,
        "seed": 0,
    }
    x, labels = images_and_labels
    batches = Batches(x, labels, lambda x, generator: x)
    found, _, _ = train(MixedModel(small_network(), networks, [""]), batches, spec)

    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(x), generator=generator)
    chosen = torch.randperm(4, generator=generator)[:2].sort().values
    others = [i for i in range(4) if i not in chosen.tolist()]
    assert torch.equal(found[others], torch.full((2, 1), 0.25, dtype=torch.float64))
    assert found[chosen].sum().item() == pytest.approx(0.5)

    model, raw = small_network().eval(), torch.full((2, 1), 0.25, dtype=torch.float64)
    raw = unconstrained(raw, space).requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=spec["lr"])
    for rows in order.split(spec["images_per_step"]):
        a = torch.full((4, 1), 0.25, dtype=torch.float64)
        a[chosen] = constrained(raw, space, torch.full((1,), 0.5))
        weights = {
            n: sum(a[i, 0] * m[n] for i, m in enumerate(networks)) for n in networks[0]
        }
        optimizer.zero_grad()
        functional.cross_entropy(
            functional_call(model, weights, x[rows]), labels[rows]
        ).backward()
        optimizer.step()
    expected = constrained(raw, space, torch.full((1,), 0.5))
    assert torch.allclose(found[chosen], expected, atol=1e-6)
    assert not torch.allclose(
        found[chosen], torch.full((2, 1), 0.25, dtype=torch.float64)
    )
