"""The sweep engine against the raw forward pass of the same model on resident tensors."""

import tempfile
from pathlib import Path

import torch

import models
from stockpot.evaluation.engine import PRECISIONS, Engine
from stockpot.merging.recipe import interpolate, single
from timing import interleaved

ROOT = Path(__file__).parents[1]
ALPHAS = (0.25, 0.5)


def measure() -> list[tuple[str, str, str]]:
    rows = []
    for name, config, n in (
        ("mini-CLIP", models.mini_clip(ROOT), 8000),
        ("ViT-B/32", models.VIT_B_32, 1000),
    ):
        for precision in PRECISIONS:
            ratio, rate = compare(config, n, precision)
            what = f"sweep engine / raw forward, {name}, {precision}"
            rows.append((what, f"{ratio:.2f} ({rate:.0f} images/s)", "0.90, aim 0.95"))
    return rows


def compare(config: dict, n: int, precision: str, classes: int = 16) -> tuple[float, float]:
    """Throughput ratio of a sweep over two inner alphas, and the sweep's images per second."""
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    batch = 250 if side < 100 else 50
    data = models.images(n, side, classes)
    with tempfile.TemporaryDirectory() as folder:
        start, end = models.pair(Path(folder), config, classes)
        engine = Engine({w.card.sha256: w for w in (start, end)}, precision, batch)
        recipes = [
            interpolate(single(start.card.sha256), single(end.card.sha256), a) for a in ALPHAS
        ]
        resident = torch.randn(batch, 3, side, side, dtype=PRECISIONS[precision])
        resident = resident.contiguous(memory_format=torch.channels_last).to(engine.device)

        @torch.inference_mode()
        def raw():
            for _ in range(len(ALPHAS) * n // batch):
                engine.model.visual(resident)
            if engine.device == "cuda":
                torch.cuda.synchronize()

        def sweep():
            for recipe in recipes:
                engine.logits(recipe, data)

        seconds = interleaved({"raw": raw, "sweep": sweep}, repeats=2)
    return seconds["raw"] / seconds["sweep"], len(ALPHAS) * n / seconds["sweep"]
