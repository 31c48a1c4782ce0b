"""What a step minimises, term by term."""

import pytest
import torch
from torch.nn import functional

from stockpot.training.loss import Loss


def loss_of(problem, generator=None, **terms):
    model, start, x, labels = problem
    objective = Loss({"label_smoothing": 0.0, **terms}, start)
    return objective.for_batch(
        x, labels, generator or torch.Generator().manual_seed(0)
    )(model)


def test_alone_it_is_cross_entropy(small_problem):
    model, _, x, labels = small_problem
    expected = functional.cross_entropy(model(x), labels, label_smoothing=0.1)
    assert torch.equal(loss_of(small_problem, label_smoothing=0.1), expected)


def test_distillation_is_equation_3(small_problem):
    model, start, x, labels = small_problem
    teacher = start(x).softmax(1)
    copied = -(teacher * model(x).log_softmax(1)).sum(1).mean()
    expected = 0.7 * functional.cross_entropy(model(x), labels) + 0.3 * copied
    assert torch.allclose(loss_of(small_problem, distillation_weight=0.3), expected)
    assert torch.allclose(loss_of(small_problem, distillation_weight=1.0), copied)


def test_l2_sp_is_the_squared_distance_of_what_is_trained(small_problem):
    model, start, *_ = small_problem
    plain = loss_of(small_problem)
    distances = [
        (p - q).square().sum() for p, q in zip(model.parameters(), start.parameters())
    ]
    assert torch.allclose(
        loss_of(small_problem, l2_sp=0.5), plain + 0.5 * sum(distances)
    )
    model[2].requires_grad_(False)
    assert torch.allclose(
        loss_of(small_problem, l2_sp=0.5), plain + 0.5 * sum(distances[:2])
    )


def test_l1_is_the_size_of_the_matrices(small_problem):
    model, plain = small_problem[0], loss_of(small_problem)
    size = model[0].weight.abs().sum() + model[2].weight.abs().sum()
    assert torch.allclose(loss_of(small_problem, l1=0.01), plain + 0.01 * size)


def test_the_start_is_not_trained(small_problem):
    _, start, *_ = small_problem
    loss_of(small_problem, distillation_weight=0.5, l2_sp=0.5).backward()
    assert all(p.grad is None for p in start.parameters())


def test_mixup_mixes_pairs_and_their_losses(small_problem):
    model, _, x, labels = small_problem
    found = loss_of(small_problem, mixup=0.4)
    generator = torch.Generator().manual_seed(0)
    gammas = torch._standard_gamma(torch.full((2,), 0.4), generator=generator)
    share, order = (
        float(gammas[0] / gammas.sum()),
        torch.randperm(len(x), generator=generator),
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


def test_a_batch_is_drawn_once_however_often_it_is_asked_for(small_problem):
    model, start, x, labels = small_problem
    objective = Loss({"label_smoothing": 0.0, "mixup": 0.4}, start)
    of = objective.for_batch(x, labels, torch.Generator().manual_seed(0))
    assert torch.equal(of(model), of(model))
