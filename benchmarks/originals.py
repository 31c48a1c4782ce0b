"""A sweep as in the original repositories, compared with ours, on JPEG files.

For every alpha, the originals average whole state dicts, load the result, save the model, decode
all images again through a DataLoader, and compute the forward pass in fp32. We decode once, and
then run the sweep engine.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import models
from stockpot.datasets.dataset import Dataset
from stockpot.datasets.sources.folder import prepare
from stockpot.evaluation.engine import Engine
from stockpot.merging.recipe import interpolate, single
from stockpot.models.classifier import Weights
from stockpot.models.load import load_classifier
from timing import cores

ALPHAS = [round(0.1 * i, 1) for i in range(11)]
COMPARED_ALPHA = 0.5
CLASSES = 16
IMAGES = 128
BATCH_SIZE = 64
SIDE = 224


def measure() -> list[tuple[str, str, str]]:
    """Compare the originals' way with ours in both precisions.

    Returns:
        Rows: what, measured, wanted.
    """
    torch.set_num_threads(cores())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_jpegs(root / "jpeg")
        pair = models.pair(root, models.VIT_B_32, CLASSES)
        sweeps = {
            "theirs": original_sweep(root, pair),
            "fp32": our_sweep(root, pair, "fp32"),
            "bf16": our_sweep(root, pair, "bf16"),
        }
        seconds = take_turns(sweeps)
    rows = []
    for precision in ("fp32", "bf16"):
        what = (
            f"time of the originals' way in fp32 / time of Stockpot in {precision}, "
            f"ViT-B/32, {IMAGES} JPEGs, {len(ALPHAS)} alphas"
        )
        theirs = seconds["theirs"]
        ours = seconds[precision]
        measured = f"{theirs / ours:.1f} ({theirs:.0f} s against {ours:.0f} s)"
        rows.append((what, measured, "reported"))
    return rows


def take_turns(sweeps: dict[str, Iterator[torch.Tensor]]) -> dict[str, float]:
    """Time whole sweeps, which advance alpha by alpha, so that a slow moment hits all.

    Args:
        sweeps: Name -> iterator of the logits at every alpha.

    Returns:
        Name -> seconds.
    """
    seconds = dict.fromkeys(sweeps, 0.0)
    logits: dict[str, torch.Tensor] = {}
    for alpha in ALPHAS:
        for name, sweep in sweeps.items():
            started = time.perf_counter()
            logits[name] = next(sweep)
            seconds[name] += time.perf_counter() - started
        if alpha == COMPARED_ALPHA:
            check_equal(logits["fp32"], logits["theirs"])
    return seconds


def check_equal(logits: torch.Tensor, expected: torch.Tensor) -> None:
    """Check that both ways see the same images through the same weights.

    Args:
        logits: [n, classes].
        expected: [n, classes].

    Raises:
        AssertionError: If they differ by more than a thousandth of what images differ by.
    """
    spread = (expected - expected.mean(0)).abs().max()
    worst = (logits - expected).abs().max()
    # "not <=", so that NaN fails, too.
    if not worst <= 1e-3 * spread:
        raise AssertionError(f"logits differ by {worst:.2g}, images by {spread:.2g}")


def write_jpegs(folder: Path) -> None:
    """Write random smooth pictures of the size of ImageNet's, in a folder per class.

    Args:
        folder: Made if it is not there.
    """
    rng = np.random.default_rng(0)
    for i in range(IMAGES):
        path = folder / f"class {i % CLASSES:02d}" / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
        smooth = coarse.resize((500, 375), Image.Resampling.BICUBIC)
        smooth.save(path, quality=90)


def original_sweep(root: Path, pair: list[Weights]) -> Iterator[torch.Tensor]:
    """Sweep as the original repositories do.

    Args:
        root: Holds the folder "jpeg"; models are saved here.
        pair: Weights of the models at alpha 0 and 1.

    Yields:
        Logits [n, classes], alpha by alpha.
    """
    # torchvision imports only once stockpot.models.third_party is loaded.
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    transform = transforms.Compose(
        [
            transforms.Resize(SIDE, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(SIDE),
            lambda image: image.convert("RGB"),
            transforms.ToTensor(),
            transforms.Normalize(models.MEAN, models.STD),
        ]
    )
    model, _ = load_classifier(pair[1].path.parent)
    start = _state_dict(pair[0])
    end = _state_dict(pair[1])
    for alpha in ALPHAS:
        mixed = {name: (1 - alpha) * start[name] + alpha * end[name] for name in start}
        model.load_state_dict(mixed)
        torch.save(model, root / f"alpha={alpha:.3f}.pt")
        dataset = ImageFolder(root / "jpeg", transform)
        loader = torch.utils.data.DataLoader(
            dataset,
            batch_size=BATCH_SIZE,
            num_workers=cores(),
        )
        with torch.no_grad():
            logits = torch.cat([model(images) for images, _ in loader])
        yield logits


def _state_dict(weights: Weights) -> dict[str, torch.Tensor]:
    """All tensors of a model, in memory."""
    return {name: weights[name].clone() for name in weights.names}


def our_sweep(
    root: Path,
    pair: list[Weights],
    precision: str,
) -> Iterator[torch.Tensor]:
    """Sweep with the engine; decoding and building it count for the first alpha.

    Args:
        root: Holds the folder "jpeg".
        pair: Weights of the models at alpha 0 and 1.
        precision: "bf16" or "fp32".

    Yields:
        Logits [n, classes], alpha by alpha.
    """
    images, labels, _ = prepare({"path": root / "jpeg", "image_size": SIDE})
    dataset = Dataset("jpeg", images, labels, pair[0].card.class_names, "jpeg")
    ingredients = {weights.card.sha256: weights for weights in pair}
    start, end = (single(sha256) for sha256 in ingredients)
    engine = Engine(ingredients, precision, BATCH_SIZE)
    for alpha in ALPHAS:
        yield engine.logits(interpolate(start, end, alpha), dataset)
