"""A sweep the way the original repositories do it, against ours, on JPEG files.

Their way, for every alpha: mix whole state dicts, load the mix, save the model, decode all
images again through a DataLoader, forward in fp32. Ours: decode once, then the sweep engine.
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
from stockpot.models.load import load_classifier
from timing import cores

ALPHAS = [round(0.1 * i, 1) for i in range(11)]
COMPARED = 0.5
CLASSES, IMAGES, BATCH = 16, 128, 64


def measure() -> list[tuple[str, str, str]]:
    torch.set_num_threads(cores())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_jpegs(root / "jpeg")
        pair = models.pair(root, models.VIT_B_32, CLASSES)
        seconds = take_turns(
            {
                "theirs": original_sweep(root, pair),
                "fp32": our_sweep(root, pair, "fp32"),
                "bf16": our_sweep(root, pair, "bf16"),
            }
        )
    rows = []
    for precision in ("fp32", "bf16"):
        what = (
            f"originals' way in fp32 / ours in {precision}, "
            f"ViT-B/32, {IMAGES} JPEGs x {len(ALPHAS)} alphas"
        )
        theirs, ours = seconds["theirs"], seconds[precision]
        measured = f"{theirs / ours:.1f} ({theirs:.0f} s against {ours:.0f} s)"
        rows.append((what, measured, "reported"))
    return rows


def take_turns(ways: dict[str, Iterator[torch.Tensor]]) -> dict[str, float]:
    """Seconds of whole sweeps, which advance alpha by alpha, so that a slow moment hits all."""
    seconds, logits = dict.fromkeys(ways, 0.0), {}
    for alpha in ALPHAS:
        for name, way in ways.items():
            started = time.perf_counter()
            logits[name] = next(way)
            seconds[name] += time.perf_counter() - started
        if alpha == COMPARED:
            check_equal(logits["fp32"], logits["theirs"])
    return seconds


def check_equal(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Do both ways see the same images through the same weights? Judged by how images differ."""
    spread = (expected - expected.mean(0)).abs().max()
    worst = (found - expected).abs().max()
    if not worst <= 1e-3 * spread:
        raise AssertionError(f"logits differ by {worst:.2g}, images by {spread:.2g}")


def write_jpegs(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(IMAGES):
        path = folder / f"class {i % CLASSES:02d}" / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)


def original_sweep(root: Path, pair) -> Iterator[torch.Tensor]:
    """Logits [n, classes], alpha by alpha."""
    # torchvision imports only once stockpot.models.openclip is loaded.
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    transform = transforms.Compose(
        [
            transforms.Resize(224, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(224),
            lambda image: image.convert("RGB"),
            transforms.ToTensor(),
            transforms.Normalize(models.MEAN, models.STD),
        ]
    )
    model, _ = load_classifier(pair[1].path.parent)
    states = [
        {name: weights[name].clone() for name in weights.names} for weights in pair
    ]
    for alpha in ALPHAS:
        mixed = {
            k: (1 - alpha) * states[0][k] + alpha * states[1][k] for k in states[0]
        }
        model.load_state_dict(mixed)
        torch.save(model, root / f"alpha={alpha:.3f}.pt")
        data = ImageFolder(root / "jpeg", transform)
        loader = torch.utils.data.DataLoader(
            data, batch_size=BATCH, num_workers=cores()
        )
        with torch.no_grad():
            logits = torch.cat([model(images) for images, _ in loader])
        yield logits


def our_sweep(root: Path, pair, precision: str) -> Iterator[torch.Tensor]:
    """Logits [n, classes], alpha by alpha."""
    images, labels, _ = prepare({"path": root / "jpeg", "side": 224})
    data = Dataset("jpeg", images, labels, pair[0].card.class_names, "jpeg")
    start, end = (single(weights.card.sha256) for weights in pair)
    engine = Engine(
        {weights.card.sha256: weights for weights in pair}, precision, BATCH
    )
    for alpha in ALPHAS:
        yield engine.logits(interpolate(start, end, alpha), data)
