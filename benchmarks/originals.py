"""A sweep the way the original repositories do it, against ours, on JPEG files.

Their way, for every alpha: mix whole state dicts, write the model, read it, decode all
images again through a DataLoader, forward in fp32. Ours: decode once, then the sweep engine.
"""

import tempfile
import time
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
CLASSES, IMAGES = 16, 320


def measure() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_jpegs(root / "jpeg")
        pair = models.pair(root, models.VIT_B_32, CLASSES)
        theirs = timed(lambda: original_sweep(root, pair))
        ours = timed(lambda: our_sweep(root, pair))
    what = f"originals' way / ours, ViT-B/32, {IMAGES} JPEGs x {len(ALPHAS)} alphas"
    return [(what, f"{theirs / ours:.1f} ({theirs:.0f} s against {ours:.0f} s)", "reported")]


def timed(function) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def write_jpegs(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for i in range(IMAGES):
        path = folder / f"class {i % CLASSES:02d}" / f"{i}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (24, 32, 3), np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)


def original_sweep(root: Path, pair) -> None:
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
    states = [{name: weights[name] for name in weights.names} for weights in pair]
    for alpha in ALPHAS:
        model, _ = load_classifier(pair[0].path.parent)
        mixed = {k: (1 - alpha) * states[0][k] + alpha * states[1][k] for k in states[0]}
        torch.save(mixed, root / f"alpha={alpha:.3f}.pt")
        model.load_state_dict(torch.load(root / f"alpha={alpha:.3f}.pt", weights_only=True))
        data = ImageFolder(root / "jpeg", transform)
        loader = torch.utils.data.DataLoader(data, batch_size=64, num_workers=cores())
        with torch.no_grad():
            for images, _ in loader:
                model(images).argmax(1)


def our_sweep(root: Path, pair) -> None:
    images, labels, _ = prepare({"path": root / "jpeg", "side": 224})
    data = Dataset("jpeg", images, labels, pair[0].card.class_names, "jpeg")
    start, end = (single(weights.card.sha256) for weights in pair)
    engine = Engine({weights.card.sha256: weights for weights in pair}, "auto", 50)
    for alpha in ALPHAS:
        engine.logits(interpolate(start, end, alpha), data)
