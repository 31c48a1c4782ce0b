"""A learned soup of k models of ViT-B/32's size: memory and time of a step, and the original way.

A step is one mix, one forward and backward pass, and one inner product with every ingredient.
The original way has every ingredient in memory and autograd through all of them.
"""

import multiprocessing
import tempfile
import time
from pathlib import Path

import torch

import merging
from merging import MIB
from timing import cores

KS = (4, 8, 16)
CLASSES, BATCH, STEPS = 1000, 32, 2
SPEC = {"seed": 0, "space": "simplex", "temperature": True, "lr": 0.05, "epochs": 1,
        "step_size": BATCH, "ingredients_per_step": 0}  # fmt: skip


def measure() -> list[tuple[str, str, str]]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folders = merging.checkpoints(Path(folder), max(KS))
        size = sum(path.stat().st_size for path in folders[0].iterdir())
        passes = once(forward_and_backward, folders[:1])[0]
        for k in KS:
            seconds, peak = once(streamed, folders[:k])
            reading = once(read, folders[:k])[0]
            what = f"learned soup of {k} models of {size / MIB:.0f} MiB, {BATCH} images a step"
            rows += [
                (f"{what}: peak private memory / one model", f"{peak / size:.2f}", "4 or less"),
                (f"{what}: step / (1.5 forward and backward + reading twice)",
                 f"{seconds / (1.5 * passes + 2 * reading):.2f} ({seconds:.1f} s a step)",
                 "1 or less"),
            ]  # fmt: skip
        k = KS[0]
        seconds, peak = once(in_memory, folders[:k])
        rows.append(
            (f"the original way with {k} models: peak private memory / one model, seconds a step",
             f"{peak / size:.2f}, {seconds:.1f}", "reported")
        )  # fmt: skip
    return rows


def once(function, folders: list[Path]) -> tuple[float, int]:
    """(seconds a step, peak private bytes), in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(merging.watched, (function, folders))


def timed(step, steps: int = STEPS) -> float:
    step()
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - started) / steps


def prepared(folders: list[Path]):
    from stockpot.models.classifier import Weights
    from stockpot.models.load import empty_classifier

    torch.set_num_threads(cores())
    weights = [Weights(folder, verify=False) for folder in folders]
    model = empty_classifier(weights[0].card, 512)
    images = torch.randn(BATCH, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return weights, model, images, torch.arange(BATCH) % CLASSES


def loss_of(logits, labels):
    return torch.nn.functional.cross_entropy(logits, labels)


def streamed(folders: list[Path]):
    from stockpot.merging.learned import Mix, constrained

    weights, model, images, labels = prepared(folders)
    mix = Mix(model, weights, [""])
    raw = torch.zeros(len(weights), 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=0.05)

    def step():
        coefficients = constrained(raw, "simplex")
        mix.fill(coefficients.detach())
        model.zero_grad(set_to_none=True)
        loss_of(model(images), labels).backward()
        optimizer.zero_grad(set_to_none=True)
        coefficients.backward(mix.gradient())
        optimizer.step()

    return lambda: timed(step)


def forward_and_backward(folders: list[Path]):
    weights, model, images, labels = prepared(folders)
    model.load_state_dict({name: weights[0][name] for name in weights[0].names})

    def step():
        model.zero_grad(set_to_none=True)
        loss_of(model(images), labels).backward()

    return lambda: timed(step)


def read(folders: list[Path]):
    """Every number of every ingredient once."""
    from stockpot.merging.linear import pieces, stored

    weights = prepared(folders)[0]

    def step():
        for w in weights:
            for name in w.names:
                source = stored(w, name)
                for _ in pieces([source], source.shape.numel()):
                    pass

    return lambda: timed(step, 1)


def in_memory(folders: list[Path]):
    from torch.func import functional_call

    weights, model, images, labels = prepared(folders)
    states = [{name: w[name].clone().requires_grad_() for name in w.names} for w in weights]
    raw = torch.zeros(len(weights), requires_grad=True)

    def step():
        shares = raw.softmax(0)
        mixed = {
            name: sum(share * state[name] for share, state in zip(shares, states))
            for name in states[0]
        }
        loss_of(functional_call(model, mixed, (images,)), labels).backward()

    return lambda: timed(step)
