"""The sweep engine against the raw forward pass of the same model on resident tensors."""

import itertools
import tempfile
from pathlib import Path

import torch

import models
from stockpot.evaluation.engine import PRECISIONS, Engine
from stockpot.merging.recipe import interpolate, single
from timing import cores, interleaved

ROOT = Path(__file__).parents[1]
ALPHAS = (0.25, 0.5)
TURNS = 4
# Images per alpha. A test set has more, so weights are mixed more often here than there.
IMAGES = {
    ("mini-CLIP", "bf16"): 24000,
    ("mini-CLIP", "fp32"): 12000,
    ("ViT-B/32", "bf16"): 400,
    ("ViT-B/32", "fp32"): 200,
}


def measure() -> list[tuple[str, str, str]]:
    torch.set_num_threads(cores())
    configs = {"mini-CLIP": models.mini_clip(ROOT), "ViT-B/32": models.VIT_B_32}
    rows = []
    for (name, precision), n in IMAGES.items():
        ratio, rate = compare(configs[name], n, precision)
        what = f"sweep engine / raw forward, {name}, {precision}, {n} images per alpha"
        rows.append((what, f"{ratio:.2f} ({rate:.0f} images/s)", "0.90, aim 0.95"))
    return rows


def compare(
    config: dict, n: int, precision: str, classes: int = 16
) -> tuple[float, float]:
    """Throughput ratio of a sweep over inner alphas, and the sweep's images per second.

    A turn is one alpha, mixed and evaluated, against as many images through the engine's own
    model in batches of the same size.
    """
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    batch = 250 if side < 100 else 50
    data = models.images(n, side, classes)
    with tempfile.TemporaryDirectory() as folder:
        start, end = models.pair(Path(folder), config, classes)
        engine = Engine({w.card.sha256: w for w in (start, end)}, precision, batch)
        ends = [single(weights.card.sha256) for weights in (start, end)]
        recipes = itertools.cycle([interpolate(*ends, alpha) for alpha in ALPHAS])
        resident = torch.randn(batch, 3, side, side, dtype=PRECISIONS[precision])
        resident = resident.contiguous(memory_format=torch.channels_last).to(
            engine.device
        )

        @torch.inference_mode()
        def raw():
            for _ in range(n // batch):
                engine.model(resident)
            if engine.device == "cuda":
                torch.cuda.synchronize()

        def sweep():
            engine.logits(next(recipes), data)

        seconds = interleaved({"raw": raw, "sweep": sweep}, repeats=TURNS)
    return seconds["raw"] / seconds["sweep"], n / seconds["sweep"]
