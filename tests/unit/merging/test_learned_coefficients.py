"""The gradient of learned soups, against full autograd and finite differences."""

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional

from stockpot.merging.learned_coefficients import MixedModel, constrained, unconstrained
from tests.support.merge_methods import small_network

PARTS = [[""], ["", "0.", "2.weight"]]


@pytest.fixture
def random_coefficients():
    def make(parts):
        generator = torch.Generator().manual_seed(3)
        return torch.randn(
            4, len(parts), generator=generator, dtype=torch.float64
        ).softmax(0)

    return make


def loss_and_gradient(mix, coefficients, data, beta=2.0):
    mix.fill(coefficients)
    mix.model.zero_grad()
    loss = functional.cross_entropy(beta * mix.model(data[0]), data[1])
    loss.backward()
    return loss.item(), mix.gradient()


@pytest.mark.parametrize("parts", PARTS, ids=len)
def test_the_gradient_is_that_of_autograd_through_all_ingredients(
    parts, images_and_labels, networks, random_coefficients
):
    mix, a = MixedModel(small_network(), networks, parts), random_coefficients(parts)
    loss, found = loss_and_gradient(mix, a, images_and_labels)
    a.requires_grad_()
    mixed = {
        name: sum(
            a[i, mix.column[name]] * tensors[name] for i, tensors in enumerate(networks)
        )
        for name in networks[0]
    }
    whole = functional.cross_entropy(
        2.0 * functional_call(mix.model, mixed, images_and_labels[0]),
        images_and_labels[1],
    )
    whole.backward()
    assert loss == pytest.approx(whole.item(), abs=1e-12)
    assert torch.allclose(found, a.grad, rtol=0, atol=1e-9)


@pytest.mark.parametrize("parts", PARTS, ids=len)
def test_the_gradient_is_that_of_finite_differences(
    parts, images_and_labels, networks, random_coefficients
):
    mix, a = MixedModel(small_network(), networks, parts), random_coefficients(parts)
    _, found = loss_and_gradient(mix, a, images_and_labels)
    step = 1e-5
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            losses = []
            for sign in (1, -1):
                moved = a.clone()
                moved[i, j] += sign * step
                losses.append(loss_and_gradient(mix, moved, images_and_labels)[0])
            assert found[i, j] == pytest.approx(
                (losses[0] - losses[1]) / (2 * step), abs=1e-6
            )


def test_chosen_ingredients_have_their_rows_alone(
    images_and_labels, networks, random_coefficients
):
    mix, a = MixedModel(small_network(), networks, [""]), random_coefficients([""])
    _, whole = loss_and_gradient(mix, a, images_and_labels)
    found = mix.gradient([1, 3])
    assert torch.equal(found[[1, 3]], whole[[1, 3]])
    assert not found[[0, 2]].any()


def test_spaces():
    raw = torch.tensor([[0.0, 3.0], [1.0, -4.0]], dtype=torch.float64)
    one = torch.ones(2).double()
    simplex = constrained(raw, "simplex", one)
    assert (simplex > 0).all()
    assert torch.allclose(simplex.sum(0), one)
    plane = constrained(raw, "hyperplane", one)
    assert torch.allclose(plane.sum(0), one)
    assert (plane < 0).any()
    assert torch.equal(constrained(raw, "free", one), raw)


@pytest.mark.parametrize("space", ["simplex", "hyperplane", "free"])
def test_free_numbers_give_their_coefficients_back(space):
    coefficients = torch.tensor([[0.1, 0.2], [0.3, 0.1]], dtype=torch.float64)
    raw, whole = unconstrained(coefficients, space), coefficients.sum(0)
    assert torch.allclose(constrained(raw, space, whole), coefficients)
    moved = constrained(raw + torch.randn(2, 2), space, whole)
    if space != "free":
        assert torch.allclose(moved.sum(0), whole), "the others' share is left alone"
