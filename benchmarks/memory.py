"""Private memory of an engine sweep over two ViT-B/32, against the size of one model."""

import multiprocessing
import tempfile
import threading
from pathlib import Path

import psutil

import models
from stockpot.evaluation.engine import Engine
from stockpot.merging.recipe import interpolate, single
from stockpot.models.classifier import Weights

ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
CLASSES, IMAGES, BATCH = 16, 100, 50
PRECISION = "fp32"


def measure() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        pair = models.pair(Path(folder), models.VIT_B_32, CLASSES)
        size = pair[0].path.stat().st_size
        # A process of its own: what earlier benchmarks left free would not be counted here.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak = pool.apply(sweep, ([weights.path.parent for weights in pair],))
    what = (
        f"peak private memory of a sweep over two ViT-B/32, {PRECISION}, batches of {BATCH}, "
        "/ size of one model"
    )
    measured = (
        f"{peak / size:.2f} ({peak / 2**20:.0f} MiB against {size / 2**20:.0f} MiB)"
    )
    return [(what, measured, "reported")]


def sweep(folders: list[Path]) -> int:
    """Bytes by which memory that belongs to no file grew at most, from before the engine."""
    data = models.images(IMAGES, 224, CLASSES)
    weights = [Weights(folder, verify=False) for folder in folders]
    ends = [single(w.card.sha256) for w in weights]
    before, peak, done = private(), [0], threading.Event()
    watcher = threading.Thread(target=watch, args=(peak, done))
    watcher.start()
    engine = Engine({w.card.sha256: w for w in weights}, PRECISION, BATCH)
    for alpha in ALPHAS:
        engine.logits(interpolate(*ends, alpha), data)
    done.set()
    watcher.join()
    return peak[0] - before


def watch(peak: list[int], done: threading.Event) -> None:
    while not done.wait(0.01):
        peak[0] = max(peak[0], private())


def private() -> int:
    """Bytes of this process that are not pages of a mapped file."""
    memory = psutil.Process().memory_info()
    return memory.rss - memory.shared
