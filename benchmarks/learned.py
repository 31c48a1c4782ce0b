"""A learned soup of k models of ViT-B/32's size: memory and time of a step, and the original way.

A step is one average of weights, one forward and backward pass, and one inner product with every
ingredient. The original way keeps every ingredient in memory, with autograd through all of them.
"""

import multiprocessing
import tempfile
import time
from functools import partial
from pathlib import Path

import torch

import merging
from merging import MIB
from timing import cores

KS = (4, 8, 16)
CLASSES, STEPS = 1000, 2
FEW, MANY = (
    8,
    64,
)  # images: activations of few are small beside a model; of many, a usual step


def measure() -> list[tuple[str, str, str]]:
    """Measure a step for several numbers of models, and the original way.

    Returns:
        Rows: what, measured, wanted.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folders = merging.checkpoints(Path(folder), max(KS))
        size = sum(path.stat().st_size for path in folders[0].iterdir())
        for k in KS:
            what = f"learned soup of {k} models of {size / MIB:.0f} MiB"
            reading = once(read, folders[:k], FEW)[0]
            for images in (FEW, MANY):
                passes = once(forward_and_backward, folders[:1], images)[0]
                seconds, peak = once(streamed, folders[:k], images)
                if images == FEW:
                    rows.append(
                        (
                            f"{what}, {images} images per step: peak private memory / "
                            "size of one model",
                            f"{peak / size:.2f}",
                            "4 or less",
                        )
                    )
                limit = 1.5 * passes + 2 * reading
                rows.append(
                    (
                        f"{what}, {images} images per step: time of a step / time of (1.5 forward "
                        "and backward passes + reading all models twice)",
                        f"{seconds / limit:.2f} ({seconds:.1f} s per step)",
                        "1 or less",
                    )
                )
        k = KS[0]
        seconds, peak = once(in_memory, folders[:k], FEW)
        rows.append(
            (
                f"the originals' way with {k} models, {FEW} images per step: peak private "
                "memory / size of one model, seconds per step",
                f"{peak / size:.2f}, {seconds:.1f}",
                "reported",
            )
        )
    return rows


def once(function, folders: list[Path], images: int) -> tuple[float, int]:
    """Return seconds per step and peak private bytes, measured in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(merging.watched, (partial(function, images=images), folders))


def timed(step, steps: int = STEPS) -> float:
    """Time a step after one that is not counted.

    Args:
        step: Function without arguments.
        steps: How many to time.

    Returns:
        Mean seconds of a step.
    """
    step()
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - started) / steps


def prepared(folders: list[Path], images: int):
    """Open the ingredients and make a batch for them.

    Args:
        folders: The classifiers.
        images: Number of images in the batch.

    Returns:
        Ingredients, an empty model, images and labels.
    """
    from stockpot.models.classifier import Weights
    from stockpot.models.load import empty_classifier

    torch.set_num_threads(cores())
    weights = [Weights(folder, verify=False) for folder in folders]
    model = empty_classifier(weights[0].card, 512)
    x = torch.randn(images, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    return weights, model, x, torch.arange(images) % CLASSES


def loss_of(logits, labels):
    """Compute the loss that every way minimises.

    Args:
        logits: Of the batch.
        labels: Of the batch.

    Returns:
        The mean cross-entropy.
    """
    return torch.nn.functional.cross_entropy(logits, labels)


def streamed(folders: list[Path], images: int):
    """Prepare steps that read the ingredients from their files, as a study does.

    Args:
        folders: The classifiers.
        images: Number of images in the batch.

    Returns:
        A function that returns seconds a step.
    """
    from stockpot.merging.learned_coefficients import MixedModel, constrained

    weights, model, x, labels = prepared(folders, images)
    mix = MixedModel(model, weights, [""])
    raw = torch.zeros(len(weights), 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([raw], lr=0.05)

    def step():
        coefficients = constrained(raw, "simplex", torch.ones(1))
        mix.fill(coefficients.detach())
        model.zero_grad(set_to_none=True)
        loss_of(model(x), labels).backward()
        optimizer.zero_grad(set_to_none=True)
        coefficients.backward(mix.gradient())
        optimizer.step()

    return lambda: timed(step)


def forward_and_backward(folders: list[Path], images: int):
    """Prepare forward and backward passes of one model.

    Args:
        folders: The classifier.
        images: Number of images in the batch.

    Returns:
        A function that returns seconds a step.
    """
    weights, model, x, labels = prepared(folders, images)
    model.load_state_dict({name: weights[0][name] for name in weights[0].names})

    def step():
        model.zero_grad(set_to_none=True)
        loss_of(model(x), labels).backward()

    return lambda: timed(step)


def read(folders: list[Path], images: int):
    """Prepare reading every number of every ingredient once."""
    from stockpot.merging.linear import iterate_chunks, lazy_tensor

    weights = prepared(folders, images)[0]

    def step():
        for w in weights:
            for name in w.names:
                source = lazy_tensor(w, name)
                for _ in iterate_chunks([source], source.shape.numel()):
                    pass

    return lambda: timed(step, 1)


def in_memory(folders: list[Path], images: int):
    """Prepare the original way: autograd through all ingredients, which are in memory.

    Args:
        folders: The classifiers.
        images: Number of images in the batch.

    Returns:
        A function that returns seconds a step.
    """
    from torch.func import functional_call

    weights, model, x, labels = prepared(folders, images)
    states = [
        {name: w[name].clone().requires_grad_() for name in w.names} for w in weights
    ]
    raw = torch.zeros(len(weights), requires_grad=True)

    def step():
        shares = raw.softmax(0)
        mixed = {
            name: sum(share * state[name] for share, state in zip(shares, states))
            for name in states[0]
        }
        loss_of(functional_call(model, mixed, (x,)), labels).backward()

    return lambda: timed(step)
