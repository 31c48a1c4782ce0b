"""Sharpness-aware steps: the gradient at the worst point nearby."""

import copy

import torch

from stockpot.training.loss import Loss
from stockpot.training.sam import replace_with_sam_gradients


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


def test_sharp_gradients_are_those_at_the_worst_point_nearby(small_problem):
    model, _, x, labels = small_problem
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
