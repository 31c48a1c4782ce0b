"""The training loop on a small problem: what it learns, how it resumes, when it diverges."""

import json

import numpy as np
import pytest
import torch

from stockpot.training.loop import (
    Batches,
    DivergedError,
    count_correct,
    fit,
    parameter_groups,
)
from stockpot.training.schedule import warmup_cosine
from tests.support.small_training import (
    FIT_SPEC,
    MachineDown,
    fit_small_model,
    learnable_batches,
    small_model,
)

pytestmark = pytest.mark.slow


def test_fit_learns_and_counts(tmp_path):
    _, history, model = fit_small_model(tmp_path, epochs=15)
    assert [row["epoch"] for row in history] == list(range(1, 16))
    assert history[-1]["loss"] < 0.6 * history[0]["loss"]
    held_out = learnable_batches(40, 1)
    with torch.no_grad():
        right = int((model(held_out.inputs).argmax(1) == held_out.labels).sum())
    assert history[-1]["held_out_k"] == right > 25
    assert history[-1]["held_out_n"] == 40
    assert not model.training
    json.dumps(history, allow_nan=False)


def test_the_loss_of_an_epoch_is_the_mean_over_its_examples(tmp_path):
    """With no step taken to speak of; the last batch is a short one."""
    model = torch.nn.Linear(6, 3)
    data = learnable_batches()
    data.prepare = lambda x, generator: x
    spec = {
        **FIT_SPEC,
        "epochs": 1,
        "lr": 1e-12,
        "batch_size": 33,
        "label_smoothing": 0.1,
    }
    history = fit(model, data, learnable_batches(40, 1), spec, tmp_path)
    expected = torch.nn.functional.cross_entropy(
        model(data.inputs), data.labels, label_smoothing=0.1
    )
    assert history[0]["loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tmp_path):
    first, again, other = (
        fit_small_model(tmp_path / str(i), seed=seed)[0]
        for i, seed in enumerate((5, 5, 6))
    )
    assert first == again != other


def test_fit_does_not_depend_on_the_global_seed(tmp_path):
    digests = []
    for seed in (1, 2):
        model = small_model()
        torch.manual_seed(seed)
        np.random.seed(seed)
        digests.append(fit_small_model(tmp_path / str(seed), model)[0])
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    "change",
    [
        {"lr": 0.04},
        {"weight_decay": 0.2},
        {"warmup": 0.5},
        {"grad_clip_norm": 0.01},
        {"batch_size": 20},
        {"label_smoothing": 0.1},
        {"epochs": 2},
    ],
)
def test_every_hyperparameter_matters(tmp_path, change):
    assert (
        fit_small_model(tmp_path / "a", **change)[0]
        != fit_small_model(tmp_path / "b")[0]
    )


def test_the_rate_follows_the_schedule_over_all_epochs(tmp_path, monkeypatch):
    rates, step = [], torch.optim.AdamW.step

    def logged(self, *arguments):
        rates.append({group["lr"] for group in self.param_groups})
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", logged)
    fit_small_model(tmp_path, epochs=3, batch_size=32, warmup=0.4)
    # 80 examples: 3 steps an epoch, 9 in all, 4 of them with a rising rate.
    assert rates == [{FIT_SPEC["lr"] * warmup_cosine(step, 9, 4)} for step in range(9)]


def test_every_example_is_seen_once_in_every_epoch(tmp_path):
    seen = []
    data = Batches(
        torch.arange(80.0)[:, None].expand(80, 6), learnable_batches().labels, None
    )

    def prepare(x, generator):
        if generator is not None:
            seen.extend(x[:, 0].int().tolist())
        return x

    data.prepare = prepare
    fit(
        small_model(),
        data,
        learnable_batches(40, 1),
        {**FIT_SPEC, "epochs": 2, "batch_size": 32},
        tmp_path,
    )
    assert sorted(seen[:80]) == sorted(seen[80:]) == list(range(80))
    assert seen[:80] != seen[80:] != list(range(80))


def test_weight_decay_is_for_matrices():
    groups = parameter_groups(small_model(), 0.3)
    assert [group["weight_decay"] for group in groups] == [0.3, 0.0]
    assert {p.ndim for p in groups[0]["params"]} == {2}
    assert {p.ndim for p in groups[1]["params"]} == {1}
    assert sum(len(group["params"]) for group in groups) == 6
    model = small_model()
    model[0].weight.requires_grad_(False)
    assert sum(len(group["params"]) for group in parameter_groups(model, 0.3)) == 5


def test_gradients_are_clipped_by_their_global_norm(tmp_path, monkeypatch):
    norms = []
    plain = torch.nn.utils.clip_grad_norm_

    def logged(parameters, bound):
        parameters = list(parameters)
        plain(parameters, bound)
        norms.append(torch.stack([p.grad.norm() for p in parameters]).norm().item())

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", logged)
    fit_small_model(tmp_path, grad_clip_norm=0.01)
    assert norms
    assert max(norms) <= 0.01 * (1 + 1e-5)


def held_out_stopping_after(epochs):
    """A held-out set on which evaluation dies in the epoch after ``epochs``."""
    data = learnable_batches(40, 1)
    calls = []

    def prepare(x, generator):
        calls.append(1)
        if len(calls) > epochs:
            raise MachineDown
        return x

    data.prepare = prepare
    return data


@pytest.mark.parametrize("epochs", [0, 1, 2])
def test_an_interrupted_fit_ends_with_the_same_bytes(tmp_path, epochs):
    expected, history, _ = fit_small_model(tmp_path / "whole")
    with pytest.raises(MachineDown):
        fit_small_model(tmp_path / "parts", held_out=held_out_stopping_after(epochs))
    torch.manual_seed(99)
    digest, resumed, model = fit_small_model(tmp_path / "parts")
    assert digest == expected
    assert resumed == history
    assert not model.training


def test_a_fit_interrupted_twice_ends_with_the_same_bytes(tmp_path):
    expected, history, _ = fit_small_model(tmp_path / "whole")
    for _ in range(2):
        with pytest.raises(MachineDown):
            fit_small_model(tmp_path / "parts", held_out=held_out_stopping_after(1))
    assert fit_small_model(tmp_path / "parts")[:2] == (expected, history)


def test_a_finished_fit_does_not_go_on(tmp_path):
    expected, history, _ = fit_small_model(tmp_path)
    assert fit_small_model(tmp_path, held_out=held_out_stopping_after(0))[:2] == (
        expected,
        history,
    )


def test_a_resumed_fit_does_not_repeat_epochs(tmp_path):
    with pytest.raises(MachineDown):
        fit_small_model(tmp_path, held_out=held_out_stopping_after(2))
    last = held_out_stopping_after(
        1
    )  # one more epoch is evaluated, a second one would stop it
    _, history, _ = fit_small_model(tmp_path, held_out=last)
    assert len(history) == 3


def test_correct_counts_in_batches():
    data, model = learnable_batches(50), torch.nn.Linear(6, 3)
    with torch.no_grad():
        expected = int((model(data.inputs).argmax(1) == data.labels).sum())
    model.train()
    assert {count_correct(model, data, "cpu", size) for size in (1, 7, 50, 500)} == {
        expected
    }
    assert not model.training


def test_an_input_that_is_no_number_diverges(tmp_path):
    data = learnable_batches()
    data.inputs[37] = torch.nan
    with pytest.raises(DivergedError, match="the loss became nan in epoch 1, step"):
        fit(torch.nn.Linear(6, 3), data, learnable_batches(40, 1), FIT_SPEC, tmp_path)


def test_an_enormous_learning_rate_diverges(tmp_path):
    with pytest.raises(DivergedError, match="in epoch"):
        fit_small_model(tmp_path, model=torch.nn.Linear(6, 3), lr=1e37)


class LostGradient(torch.autograd.Function):
    """The identity, whose gradient overflows."""

    @staticmethod
    def forward(context, x):
        return x.clone()

    @staticmethod
    def backward(context, gradient):
        return gradient * torch.inf


class Overflowing(torch.nn.Linear):
    def forward(self, x):
        return LostGradient.apply(super().forward(x))


@pytest.mark.parametrize("epochs", [1, 2])
def test_weights_lost_in_the_last_step_diverge(tmp_path, epochs):
    """One step an epoch: after the last one no loss is computed that could tell."""
    spec = {**FIT_SPEC, "epochs": epochs, "batch_size": 80}
    with pytest.raises(DivergedError):
        fit(
            Overflowing(6, 3),
            learnable_batches(),
            learnable_batches(40, 1),
            spec,
            tmp_path,
        )
