"""The sweep engine against the raw forward pass of the same model on resident tensors."""

import itertools
import tempfile
from pathlib import Path
from typing import Any

import torch

import models
from stockpot.evaluation.engine import PRECISIONS, Engine
from stockpot.merging.recipe import interpolate, single
from timing import cores, interleaved

ROOT = Path(__file__).parents[1]
ALPHAS = (0.25, 0.5)
TURNS = 4
CLASSES = 16
# Images per alpha. A test set has more, so weights are mixed more often here than there.
IMAGES = {
    ("mini-CLIP", "bf16"): 24000,
    ("mini-CLIP", "fp32"): 12000,
    ("ViT-B/32", "bf16"): 400,
    ("ViT-B/32", "fp32"): 200,
}


def measure() -> list[tuple[str, str, str]]:
    """Compare both ways for every model and precision.

    Returns:
        Rows: what, measured, wanted.
    """
    torch.set_num_threads(cores())
    configs = {"mini-CLIP": models.mini_clip(ROOT), "ViT-B/32": models.VIT_B_32}
    rows = []
    for (name, precision), image_count in IMAGES.items():
        ratio, rate = compare(configs[name], image_count, precision)
        what = (
            f"speed of a sweep / speed of the raw forward pass, {name}, {precision}, "
            f"{image_count} images per alpha"
        )
        measured = f"{ratio:.2f} ({rate:.0f} images/s)"
        rows.append((what, measured, "0.90 or more; aim: 0.95"))
    return rows


def compare(
    config: dict[str, Any],
    image_count: int,
    precision: str,
) -> tuple[float, float]:
    """Time a sweep over inner alphas against raw forward passes.

    A turn is one alpha, mixed and evaluated, against as many images through the engine's own
    model in batches of the same size.

    Args:
        config: Of the architecture, as open_clip has it.
        image_count: Images per alpha.
        precision: "bf16" or "fp32".

    Returns:
        The ratio of the throughputs, and the sweep's images per second.
    """
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    batch_size = 250 if side < 100 else 50
    dataset = models.images(image_count, side, CLASSES)
    with tempfile.TemporaryDirectory() as folder:
        pair = models.pair(Path(folder), config, CLASSES)
        ingredients = {weights.card.sha256: weights for weights in pair}
        engine = Engine(ingredients, precision, batch_size)
        start, end = (single(sha256) for sha256 in ingredients)
        # Two alphas in turns, so that every turn has weights to mix.
        recipes = itertools.cycle([interpolate(start, end, alpha) for alpha in ALPHAS])
        images = torch.randn(batch_size, 3, side, side, dtype=PRECISIONS[precision])
        # The memory format in which the engine hands images to the model.
        images = images.contiguous(memory_format=torch.channels_last)
        resident = images.to(engine.device)

        @torch.inference_mode()
        def raw() -> None:
            for _ in range(image_count // batch_size):
                engine.model(resident)
            # Without waiting only the start of the work on a GPU would be timed.
            if engine.device == "cuda":
                torch.cuda.synchronize()

        def sweep() -> None:
            engine.logits(next(recipes), dataset)

        seconds = interleaved({"raw": raw, "sweep": sweep}, repeats=TURNS)
    return seconds["raw"] / seconds["sweep"], image_count / seconds["sweep"]
