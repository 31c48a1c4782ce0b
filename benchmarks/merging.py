"""Memory and time of a linear merge of k checkpoints of ViT-B/32's size, and of other ways.

Private memory (USS) is memory that only this process uses; it includes file pages that only this
process has mapped. Speed is bytes read and written per second. It is compared with copying one
checkpoint to another file, where half of the bytes are written; and with reading every ingredient
and writing one file, which is the limit.
"""

import multiprocessing
import shutil
import tempfile
import threading
import time
from pathlib import Path

import psutil
import torch

KS = (2, 8, 16)
CLASSES = 1000
LIMIT = 250  # MiB
MIB = 2**20


def measure() -> list[tuple[str, str, str]]:
    """Compare all ways for several numbers of checkpoints.

    Returns:
        Rows: what, measured, wanted.
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        folders = checkpoints(Path(folder), max(KS))
        size = sum(path.stat().st_size for path in folders[0].iterdir())
        for k in KS:
            ours, one, copy, together, running = (
                best(function, folders[:k])
                for function in (merge, file_copied, copied, in_memory, running_mean)
            )
            bandwidth = one[0] * (k + 1) / (2 * ours[0])
            what = f"linear merge of {k} checkpoints of {size / MIB:.0f} MiB"
            rows += [
                (
                    f"{what}: peak private memory",
                    f"{ours[1] / MIB:.0f} MiB",
                    f"{LIMIT} MiB at most",
                ),
                (
                    f"{what}: bandwidth / bandwidth of copying a file",
                    f"{bandwidth:.2f} ({ours[0]:.2f} s)",
                    "0.7 or more",
                ),
                (
                    f"{what}: speed / speed of only reading all and writing one",
                    f"{copy[0] / ours[0]:.2f}",
                    "reported",
                ),
                (
                    f"{what}, all in memory as in the originals' learned soup: "
                    "peak private memory, time",
                    f"{together[1] / MIB:.0f} MiB, {together[0]:.2f} s",
                    "reported",
                ),
                (
                    f"{what}, by a running mean of state dicts as in the originals' "
                    "uniform soup: peak private memory, time",
                    f"{running[1] / MIB:.0f} MiB, {running[0]:.2f} s",
                    "reported",
                ),
            ]
    return rows


def checkpoints(folder: Path, k: int) -> list[Path]:
    """Make k classifiers of one lineage with random weights, each also as a pickled state dict."""
    import models
    from stockpot.models.classifier import Weights, write_classifier

    first, second = models.pair(folder, models.VIT_B_32, CLASSES)
    base, found = {name: second[name] for name in second.names}, []
    for i in range(k):
        tensors = {name: tensor + i for name, tensor in base.items()}
        card = Weights(second.path.parent, verify=False).card
        card.name = f"ingredient-{i}"
        write_classifier(folder / card.name, card, tensors)
        torch.save(tensors, folder / f"{card.name}.pt")
        found.append(folder / card.name)
    for old in (first, second):
        shutil.rmtree(old.path.parent)
    return found


def best(function, folders: list[Path], repeats: int = 3) -> tuple[float, int]:
    """Return the least seconds and the peak private bytes of runs in processes of their own."""
    runs = []
    for _ in range(repeats):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            runs.append(pool.apply(watched, (function, folders)))
    return min(seconds for seconds, _ in runs), max(peak for _, peak in runs)


def watched(function, folders: list[Path]) -> tuple[float, int]:
    """Return the seconds, as the function reports or as measured, and the peak private bytes."""
    run = function(folders)
    peak, done = [0], threading.Event()
    watcher = threading.Thread(target=watch, args=(peak, done))
    watcher.start()
    started = time.perf_counter()
    told = run()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return (seconds if told is None else told), peak[0]


def watch(peak: list[int], done: threading.Event) -> None:
    """Raise the only element of ``peak`` to the largest private bytes of this process.

    Args:
        peak: Bytes.
        done: Ends the watch.
    """
    while True:
        peak[0] = max(peak[0], psutil.Process().memory_full_info().uss)
        if done.wait(0.02):
            return


def merge(folders: list[Path]):
    """Prepare a merge as a study does it.

    Args:
        folders: The checkpoints.

    Returns:
        A function that merges once.
    """
    from stockpot.merging.export import materialize_recipe
    from stockpot.merging.recipe import uniform
    from stockpot.models.classifier import Weights

    out = folders[0].parent / "merged"

    def run():
        weights = [Weights(folder, verify=False) for folder in folders]
        ingredients = {w.card.sha256: w for w in weights}
        materialize_recipe(out, uniform(list(ingredients)), ingredients, "merged")

    return run


def file_copied(folders: list[Path]):
    """Prepare the system's copy of one checkpoint to another file."""
    source = folders[0] / "classifier.safetensors"
    return lambda: shutil.copyfile(source, folders[0].parent / "copy") and None


def copied(folders: list[Path]):
    """Prepare reading every ingredient and writing one file, 1 MiB at a time."""
    out = folders[0].parent / "copy"

    def run():
        piece = bytearray(MIB)
        with open(out, "wb", buffering=0) as target:
            for i, folder in enumerate(folders):
                with open(
                    folder / "classifier.safetensors", "rb", buffering=0
                ) as source:
                    while n := source.readinto(piece):
                        if i == 0:
                            target.write(memoryview(piece)[:n])

    return run


def in_memory(folders: list[Path]):
    """Prepare a merge with all checkpoints in memory.

    Args:
        folders: The checkpoints.

    Returns:
        A function that merges once.
    """

    def run():
        states = [
            torch.load(folder.with_suffix(".pt"), weights_only=True)
            for folder in folders
        ]
        mean = {
            name: torch.stack([state[name] for state in states]).mean(0)
            for name in states[0]
        }
        torch.save(mean, folders[0].parent / "mean.pt")

    return run


def running_mean(folders: list[Path]):
    """Prepare a merge that reads one checkpoint after another.

    Args:
        folders: The checkpoints.

    Returns:
        A function that merges once.
    """

    def run():
        k = len(folders)
        for i, folder in enumerate(folders):
            state = torch.load(folder.with_suffix(".pt"), weights_only=True)
            if i == 0:
                mean = {name: tensor * (1 / k) for name, tensor in state.items()}
            else:
                mean = {
                    name: tensor * (1 / k) + mean[name]
                    for name, tensor in state.items()
                }
        torch.save(mean, folders[0].parent / "mean.pt")

    return run
