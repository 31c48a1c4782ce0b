"""Many linear classifiers at once: each is what AdamW makes of it alone."""

import copy

import pytest
import torch

from stockpot.training.heads import HeadHyperparameters, Heads, fit_heads
from stockpot.training.loop import Batches, count_correct, fit
from stockpot.training.variants import linear_search

D, CLASSES, N = 6, 4, 90


SPEC = {"epochs": 3, "batch_size": 16, "warmup": 0.2, "grad_clip_norm": 0.5, "seed": 3}


POINTS = [
    {"lr": 0.1, "weight_decay": 0.3},
    {"lr": 0.01, "weight_decay": 0.0, "label_smoothing": 0.2},
    {"lr": 0.05, "l1": 0.01},
]


def linear_batches(n=N, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, D, generator=generator)
    return Batches(x, x[:, :CLASSES].argmax(1), lambda x, generator: x)


@pytest.fixture
def head():
    torch.manual_seed(0)
    return torch.nn.Linear(D, CLASSES)


def stacked_trials(points=POINTS) -> HeadHyperparameters:
    return linear_search.stack_trials(points, "cpu")


def test_gradients_are_those_of_autograd(head):
    heads, data = Heads(head, stacked_trials()), linear_batches(20)
    (of_weight, of_bias), losses = heads.gradients(data.inputs, data.labels)
    for i, point in enumerate(POINTS):
        alone = copy.deepcopy(head)
        loss = (
            torch.nn.functional.cross_entropy(
                alone(data.inputs),
                data.labels,
                label_smoothing=point.get("label_smoothing", 0.0),
            )
            + point.get("l1", 0.0) * alone.weight.abs().sum()
        )
        loss.backward()
        assert torch.allclose(losses[i], loss, atol=1e-6)
        assert torch.allclose(of_weight[i], alone.weight.grad, atol=1e-6)
        assert torch.allclose(of_bias[i], alone.bias.grad, atol=1e-6)


def test_each_head_ends_where_the_training_loop_leaves_it(head, tmp_path):
    train, held_out = linear_batches(), linear_batches(40, 1)
    heads, hits = fit_heads(
        head, stacked_trials(), train, held_out, SPEC, tmp_path / "all"
    )
    for i, point in enumerate(POINTS):
        alone = copy.deepcopy(head)
        spec = {**SPEC, "weight_decay": 0.0, "label_smoothing": 0.0, **point}
        fit(alone, train, held_out, spec, tmp_path / str(i))
        assert torch.allclose(heads.tensors[0][i], alone.weight, atol=1e-4)
        assert torch.allclose(heads.tensors[1][i], alone.bias, atol=1e-4)
        assert hits[i] == count_correct(alone, held_out, "cpu")


def test_interrupted_heads_end_with_the_same_bytes(head, tmp_path, monkeypatch):
    train, held_out = linear_batches(), linear_batches(40, 1)
    expected, _ = fit_heads(
        head, stacked_trials(), train, held_out, SPEC, tmp_path / "whole"
    )
    step, calls = Heads.step, []

    def dying(self, *arguments):
        calls.append(1)
        if len(calls) == 8:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(Heads, "step", dying)
    with pytest.raises(KeyboardInterrupt):
        fit_heads(head, stacked_trials(), train, held_out, SPEC, tmp_path / "parts")
    found, _ = fit_heads(
        head, stacked_trials(), train, held_out, SPEC, tmp_path / "parts"
    )
    assert len(calls) == 8 + 2 * 6, "the first epoch is not trained again"
    for tensor, wanted in zip(found.tensors, expected.tensors):
        assert torch.equal(tensor, wanted)


def test_a_head_that_is_not_finite_is_out_of_the_running(head, tmp_path):
    points = [{"lr": 1e38}, {"lr": 0.01}]
    _, hits = fit_heads(
        head,
        stacked_trials(points),
        linear_batches(),
        linear_batches(40, 1),
        SPEC,
        tmp_path,
    )
    assert hits[0] == -1
    assert hits[1] > 0
