"""Many linear classifiers at once against one, on features of the embedded study's size."""

import tempfile
import time
from pathlib import Path

import torch

from stockpot.training.heads import fit_heads
from stockpot.training.loop import Batches
from stockpot.training.variants.linear_search import stack_trials
from timing import cores, interleaved

SETTINGS = 64
SIZES = {
    "features of the embedded study": (2500, 64, 16),
    "2,500 features of 512": (2500, 512, 16),
}


def measure() -> list[tuple[str, str, str]]:
    """Compare one classifier with many for every size.

    Returns:
        Rows: what, measured, wanted.
    """
    torch.set_num_threads(cores())
    rows = []
    for what, (n, d, classes) in SIZES.items():
        generator = torch.Generator().manual_seed(0)
        data = Batches(
            torch.randn(n, d, generator=generator),
            torch.randint(classes, (n,), generator=generator),
            lambda x, generator: x,
        )
        best = interleaved(
            {k: lambda k=k: trained(data, d, classes, k) for k in (1, SETTINGS)}  # noqa: B023
        )
        rows.append(
            (
                f"time of training {SETTINGS} linear classifiers at once / time of one, {what}, "
                f"{classes} classes",
                f"{best[SETTINGS] / best[1]:.1f}",
                "5 or less",
            )
        )
    return rows


def trained(data: Batches, d: int, classes: int, k: int) -> float:
    """Train k classifiers at once.

    Args:
        data: Features and labels.
        d: Length of a feature.
        classes: Number of classes.
        k: Number of classifiers.

    Returns:
        Seconds.
    """
    spec = {
        "epochs": 5,
        "batch_size": 128,
        "warmup": 0.1,
        "grad_clip_norm": 1.0,
        "seed": 0,
    }
    points = [{"lr": 1e-3, "weight_decay": 0.1}] * k
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        head = torch.nn.Linear(d, classes)
        fit_heads(head, stack_trials(points, "cpu"), data, data, spec, Path(folder))
        return time.perf_counter() - started
