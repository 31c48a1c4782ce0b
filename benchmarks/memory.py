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
CLASSES = 16
IMAGES = 100
BATCH_SIZE = 50
PRECISION = "fp32"


def measure() -> list[tuple[str, str, str]]:
    """Measure the peak of one sweep.

    Returns:
        Rows: what, measured, wanted.
    """
    with tempfile.TemporaryDirectory() as folder:
        pair = models.pair(Path(folder), models.VIT_B_32, CLASSES)
        model_size = pair[0].path.stat().st_size
        folders = [weights.path.parent for weights in pair]
        # A process of its own: what earlier benchmarks left free would not be counted here.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            peak = pool.apply(sweep, (folders,))
    what = (
        f"peak private memory of a sweep between two ViT-B/32 ({PRECISION}, "
        f"batches of {BATCH_SIZE}) / size of one model"
    )
    sizes = f"{peak / 2**20:.0f} MiB against {model_size / 2**20:.0f} MiB"
    return [(what, f"{peak / model_size:.2f} ({sizes})", "reported")]


def sweep(folders: list[Path]) -> int:
    """Sweep between two models while a thread watches the memory.

    Args:
        folders: Classifier folders of both models.

    Returns:
        Bytes by which memory that belongs to no file grew at most, from before the engine.
    """
    dataset = models.images(IMAGES, 224, CLASSES)
    pair = [Weights(folder, verify=False) for folder in folders]
    ingredients = {weights.card.sha256: weights for weights in pair}
    start, end = (single(sha256) for sha256 in ingredients)
    before = private_bytes()
    # A list, as a thread can write into it.
    peak = [0]
    finished = threading.Event()
    watcher = threading.Thread(target=watch, args=(peak, finished))
    watcher.start()
    engine = Engine(ingredients, PRECISION, BATCH_SIZE)
    for alpha in ALPHAS:
        engine.logits(interpolate(start, end, alpha), dataset)
    finished.set()
    watcher.join()
    return peak[0] - before


def watch(peak: list[int], finished: threading.Event) -> None:
    """Note the largest private memory, a hundred times a second.

    Args:
        peak: Its only element is raised to the largest number of bytes.
        finished: Set when there is nothing more to watch.
    """
    while not finished.wait(0.01):
        peak[0] = max(peak[0], private_bytes())


def private_bytes() -> int:
    """Count the memory of this process that is not pages of a mapped file.

    Returns:
        Bytes.
    """
    memory = psutil.Process().memory_info()
    return memory.rss - memory.shared
