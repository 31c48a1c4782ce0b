"""What a step minimises, term by term, and sharpness-aware steps."""

import copy

import pytest
import torch
from torch.nn import functional

from stockpot.training.loss import Loss
from stockpot.training.sam import replace_with_sam_gradients

N, CLASSES = 12, 5


@pytest.fixture
def problem():
    """Model, start, images and labels."""
    torch.manual_seed(0)
    start = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, CLASSES)
    )
    model = copy.deepcopy(start)
    with torch.no_grad():
        for p in model.parameters():
            p += 0.1 * torch.randn(p.shape)
    return model, start, torch.randn(N, 4), torch.randint(CLASSES, (N,))


def loss(problem, generator=None, **terms):
    model, start, x, labels = problem
    objective = Loss({"label_smoothing": 0.0, **terms}, start)
    return objective.for_batch(
        x, labels, generator or torch.Generator().manual_seed(0)
    )(model)


def test_alone_it_is_cross_entropy(problem):
    model, _, x, labels = problem
    expected = functional.cross_entropy(model(x), labels, label_smoothing=0.1)
    assert torch.equal(loss(problem, label_smoothing=0.1), expected)


def test_distillation_is_equation_3(problem):
    model, start, x, labels = problem
    teacher = start(x).softmax(1)
    copied = -(teacher * model(x).log_softmax(1)).sum(1).mean()
    expected = 0.7 * functional.cross_entropy(model(x), labels) + 0.3 * copied
    assert torch.allclose(loss(problem, distillation_weight=0.3), expected)
    assert torch.allclose(loss(problem, distillation_weight=1.0), copied)


def test_l2_sp_is_the_squared_distance_of_what_is_trained(problem):
    model, start, *_ = problem
    plain = loss(problem)
    distances = [
        (p - q).square().sum() for p, q in zip(model.parameters(), start.parameters())
    ]
    assert torch.allclose(loss(problem, l2_sp=0.5), plain + 0.5 * sum(distances))
    model[2].requires_grad_(False)
    assert torch.allclose(loss(problem, l2_sp=0.5), plain + 0.5 * sum(distances[:2]))


def test_l1_is_the_size_of_the_matrices(problem):
    model, plain = problem[0], loss(problem)
    size = model[0].weight.abs().sum() + model[2].weight.abs().sum()
    assert torch.allclose(loss(problem, l1=0.01), plain + 0.01 * size)


def test_the_start_is_not_trained(problem):
    _, start, *_ = problem
    loss(problem, distillation_weight=0.5, l2_sp=0.5).backward()
    assert all(p.grad is None for p in start.parameters())


def test_mixup_mixes_pairs_and_their_losses(problem):
    model, _, x, labels = problem
    found = loss(problem, mixup=0.4)
    generator = torch.Generator().manual_seed(0)
    gammas = torch._standard_gamma(torch.full((2,), 0.4), generator=generator)
    share, order = (
        float(gammas[0] / gammas.sum()),
        torch.randperm(N, generator=generator),
    )
    logits = model(share * x + (1 - share) * x[order])
    expected = share * functional.cross_entropy(logits, labels)
    expected += (1 - share) * functional.cross_entropy(logits, labels[order])
    assert 0 < share < 1
    assert torch.allclose(found, expected)


def test_shares_of_mixup_follow_a_beta_distribution():
    from stockpot.training.loss import _draw_mixup

    generator = torch.Generator().manual_seed(0)
    for alpha in (0.2, 1.0, 5.0):
        shares = torch.tensor(
            [_draw_mixup(alpha, 2, generator)[0] for _ in range(4000)]
        )
        assert shares.mean() == pytest.approx(0.5, abs=0.03)
        assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_a_batch_is_drawn_once_however_often_it_is_asked_for(problem):
    model, start, x, labels = problem
    objective = Loss({"label_smoothing": 0.0, "mixup": 0.4}, start)
    of = objective.for_batch(x, labels, torch.Generator().manual_seed(0))
    assert torch.equal(of(model), of(model))


def test_statistics_of_batch_normalisation_are_those_of_the_first_pass():
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
    )
    x, labels = torch.randn(16, 3), torch.arange(16) % 2
    once = copy.deepcopy(model)
    once(x)
    of = Loss({"label_smoothing": 0.0}).for_batch(x, labels, torch.Generator())
    of(model).backward()
    replace_with_sam_gradients(model, of, 0.5)
    for (name, found), expected in zip(model.named_buffers(), once.buffers()):
        assert torch.equal(found, expected), name
    assert model[1].num_batches_tracked == 1
    assert all(p.grad is not None for p in model.parameters())


def test_sharp_gradients_are_those_at_the_worst_point_nearby(problem):
    model, _, x, labels = problem
    objective = Loss({"label_smoothing": 0.0})
    of, rho = objective.for_batch(x, labels, torch.Generator()), 0.3
    before = copy.deepcopy(model)
    of(model).backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    worst = copy.deepcopy(before)
    with torch.no_grad():
        for p, g in zip(worst.parameters(), gradients):
            p += rho * g / norm
    assert of(worst) > of(before)
    of(worst).backward()
    replace_with_sam_gradients(model, of, rho)
    for p, q, start in zip(model.parameters(), worst.parameters(), before.parameters()):
        assert torch.allclose(p.grad, q.grad, atol=1e-6)
        assert torch.equal(p, start), "the weights are where they were"
