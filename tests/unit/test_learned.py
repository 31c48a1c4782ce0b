"""The gradient of learned soups, against full autograd and finite differences."""

import pytest
import torch
from torch.func import functional_call
from torch.nn import functional

from stockpot.merging.learned_coefficients import MixedModel, constrained, unconstrained
from stockpot.merging.methods.learned import train
from stockpot.training.loop import Batches

PARTS = [[""], ["", "0.", "2.weight"]]


def network() -> torch.nn.Module:
    layers = torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 5)
    return torch.nn.Sequential(*layers).double()


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(40, 6, generator=generator, dtype=torch.float64)
    return x, torch.randint(0, 5, (40,), generator=generator)


@pytest.fixture
def ingredients():
    torch.manual_seed(2)
    return [{n: t.clone() for n, t in network().state_dict().items()} for _ in range(4)]


@pytest.fixture
def coefficients():
    def make(parts):
        generator = torch.Generator().manual_seed(3)
        return torch.randn(
            4, len(parts), generator=generator, dtype=torch.float64
        ).softmax(0)

    return make


def streamed(mix, coefficients, data, beta=2.0):
    mix.fill(coefficients)
    mix.model.zero_grad()
    loss = functional.cross_entropy(beta * mix.model(data[0]), data[1])
    loss.backward()
    return loss.item(), mix.gradient()


@pytest.mark.parametrize("parts", PARTS, ids=len)
def test_the_gradient_is_that_of_autograd_through_all_ingredients(
    parts, data, ingredients, coefficients
):
    mix, a = MixedModel(network(), ingredients, parts), coefficients(parts)
    loss, found = streamed(mix, a, data)
    a.requires_grad_()
    mixed = {
        name: sum(
            a[i, mix.column[name]] * tensors[name]
            for i, tensors in enumerate(ingredients)
        )
        for name in ingredients[0]
    }
    whole = functional.cross_entropy(
        2.0 * functional_call(mix.model, mixed, data[0]), data[1]
    )
    whole.backward()
    assert loss == pytest.approx(whole.item(), abs=1e-12)
    assert torch.allclose(found, a.grad, rtol=0, atol=1e-9)


@pytest.mark.parametrize("parts", PARTS, ids=len)
def test_the_gradient_is_that_of_finite_differences(
    parts, data, ingredients, coefficients
):
    mix, a = MixedModel(network(), ingredients, parts), coefficients(parts)
    _, found = streamed(mix, a, data)
    step = 1e-5
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            losses = []
            for sign in (1, -1):
                moved = a.clone()
                moved[i, j] += sign * step
                losses.append(streamed(mix, moved, data)[0])
            assert found[i, j] == pytest.approx(
                (losses[0] - losses[1]) / (2 * step), abs=1e-6
            )


@pytest.mark.parametrize("space", ["simplex", "hyperplane", "free"])
def test_the_whole_training_is_that_with_all_ingredients_in_memory(
    data, ingredients, space
):
    """As the originals train, by autograd through every ingredient: the same coefficients."""
    spec = {
        "space": space,
        "temperature": True,
        "epochs": 4,
        "batch_size": 10,
        "lr": 0.05,
        "ingredients_per_step": 0,
        "seed": 0,
    }
    x, labels = data
    batches = Batches(x, labels, lambda x, generator: x)
    found, beta, _ = train(MixedModel(network(), ingredients, [""]), batches, spec)

    model = network().eval()
    raw = torch.full((4, 1), 0.25 if space == "free" else 0.0, dtype=torch.float64)
    raw.requires_grad_()
    log_beta = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.Adam([raw, log_beta], lr=spec["lr"])
    generator = torch.Generator().manual_seed(0)
    for _ in range(spec["epochs"]):
        order = torch.randperm(len(x), generator=generator)
        torch.randperm(4, generator=generator)
        for rows in order.split(spec["batch_size"]):
            a = constrained(raw, space, torch.ones(1))
            weights = {
                n: sum(a[i, 0] * m[n] for i, m in enumerate(ingredients))
                for n in ingredients[0]
            }
            logits = functional_call(model, weights, x[rows])
            optimizer.zero_grad()
            functional.cross_entropy(log_beta.exp() * logits, labels[rows]).backward()
            optimizer.step()
    assert torch.allclose(found, constrained(raw, space, torch.ones(1)), atol=1e-6)
    assert beta == pytest.approx(log_beta.exp().item(), abs=1e-5)


def test_chosen_ingredients_have_their_rows_alone(data, ingredients, coefficients):
    mix, a = MixedModel(network(), ingredients, [""]), coefficients([""])
    _, whole = streamed(mix, a, data)
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


@pytest.mark.parametrize("space", ["simplex", "hyperplane"])
def test_ingredients_that_are_not_chosen_stay_where_they_are(data, ingredients, space):
    """One epoch of two of the four: as autograd over these two alone, their sum kept."""
    spec = {
        "space": space,
        "temperature": False,
        "epochs": 1,
        "batch_size": 10,
        "lr": 0.1,
        "ingredients_per_step": 2,
        "seed": 0,
    }
    x, labels = data
    batches = Batches(x, labels, lambda x, generator: x)
    found, _, _ = train(MixedModel(network(), ingredients, [""]), batches, spec)

    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(x), generator=generator)
    chosen = torch.randperm(4, generator=generator)[:2].sort().values
    others = [i for i in range(4) if i not in chosen.tolist()]
    assert torch.equal(found[others], torch.full((2, 1), 0.25, dtype=torch.float64))
    assert found[chosen].sum().item() == pytest.approx(0.5)

    model, raw = network().eval(), torch.full((2, 1), 0.25, dtype=torch.float64)
    raw = unconstrained(raw, space).requires_grad_()
    optimizer = torch.optim.Adam([raw], lr=spec["lr"])
    for rows in order.split(spec["batch_size"]):
        a = torch.full((4, 1), 0.25, dtype=torch.float64)
        a[chosen] = constrained(raw, space, torch.full((1,), 0.5))
        weights = {
            n: sum(a[i, 0] * m[n] for i, m in enumerate(ingredients))
            for n in ingredients[0]
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
