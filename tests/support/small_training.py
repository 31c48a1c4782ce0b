"""A small problem that can be learned, and runs as the workflow starts them."""

import torch

from stockpot.models.card import read_card
from stockpot.models.classifier import Weights
from stockpot.training.loop import Batches, fit
from stockpot.training.run import run
from tests.support.short_runs import run_spec
from tests.support.tensors import tensor_digest

FIT_SPEC = {
    "epochs": 3,
    "batch_size": 16,
    "lr": 0.05,
    "weight_decay": 0.1,
    "warmup": 0.1,
    "grad_clip_norm": 1.0,
    "label_smoothing": 0.0,
    "seed": 5,
}


def with_noise(x, generator):
    return (
        x if generator is None else x + 0.1 * torch.rand(x.shape, generator=generator)
    )


def learnable_batches(n=80, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 6, generator=generator)
    return Batches(x, x[:, :3].argmax(1), with_noise)


def small_model():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(6, 16),
        torch.nn.BatchNorm1d(16),
        torch.nn.ReLU(),
        torch.nn.Linear(16, 3),
    )


def fit_small_model(tmp_path, model=None, held_out=None, **changes):
    model = model or small_model()
    history = fit(
        model,
        learnable_batches(),
        held_out or learnable_batches(40, 1),
        {**FIT_SPEC, **changes},
        tmp_path,
    )
    return tensor_digest(model.state_dict()), history, model


class MachineDown(BaseException):
    """The machine goes down."""


def train_run(world, zero_shot, folder, name="a", code="code", **changes):
    """One run as the workflow does it; the card."""
    spec = {**run_spec(name), **changes}
    start = None if spec["variant"] == "from-scratch" else zero_shot
    run(spec, world["train"], world["held-out"], start, folder, code)
    return read_card(folder)


def moved_tensors(folder, start) -> set[str]:
    before, after = Weights(start), Weights(folder)
    return {name for name in after.names if not torch.equal(before[name], after[name])}
