"""A step of fine-tuning as the workflow does it, against the raw step of the same model."""

import torch

import models
from stockpot.models.card import Card
from stockpot.models.device import pick_device
from stockpot.models.tower import OPEN_CLIP, ImageClassifier, build_tower
from stockpot.training.images import image_batches
from stockpot.training.loop import parameter_groups
from stockpot.training.loss import Loss
from timing import cores, interleaved

SPEC = {
    "lr": 3e-5,
    "weight_decay": 0.1,
    "grad_clip_norm": 1.0,
    "min_crop_area": 0.9,
    "label_smoothing": 0.0,
    "seed": 0,
}
CLASSES, BATCH = 1000, {"cpu": 16, "cuda": 512}


def measure() -> list[tuple[str, str, str]]:
    """Compare both steps of ViT-B/32 on this machine's device.

    Returns:
        Rows: what, measured, wanted.
    """
    torch.set_num_threads(cores())
    device = pick_device()
    ratio, rate = compare(models.VIT_B_32, BATCH[device], device)
    what = (
        f"speed of a fine-tuning step / speed of the raw step, ViT-B/32, fp32, "
        f"batches of {BATCH[device]} on a {device}"
    )
    return [(what, f"{ratio:.2f} ({rate:.1f} images/s)", "0.90 or more")]


def compare(config: dict, batch: int, device: str) -> tuple[float, float]:
    """Throughput ratio, and images per second of our step.

    Ours reads uint8 images from a memory-mapped set, crops, normalises, clips the gradient and
    steps; the raw step has one resident batch and does forward, backward and AdamW alone.
    """
    side = config["model_cfg"]["vision_cfg"]["image_size"]
    card = Card(
        "b",
        "end-to-end",
        {"library": OPEN_CLIP, "config": config},
        [],
        normalise=True,
        mean=[0.5] * 3,
        std=[0.25] * 3,
        image_size=side,
    )
    data = models.images(4 * batch, side, CLASSES)
    card.class_names = data.class_names
    model = ImageClassifier(
        build_tower(card.architecture),
        config["model_cfg"]["embed_dim"],
        CLASSES,
        normalise=True,
    ).to(device)
    optimizer = torch.optim.AdamW(parameter_groups(model, 0.1), lr=3e-5, fused=True)
    train, objective = (
        image_batches(data, card, SPEC["min_crop_area"], device),
        Loss(SPEC, None),
    )
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, side, side, device=device)
    labels = torch.zeros(batch, dtype=torch.long, device=device)

    def finish():
        if device == "cuda":
            torch.cuda.synchronize()

    def raw():
        optimizer.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()
        finish()

    def ours():
        rows = torch.randperm(len(train), generator=generator)[:batch]
        images = train.prepare(train.inputs[rows].to(device), generator)
        loss = objective.for_batch(images, train.labels[rows].to(device), generator)(
            model
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), SPEC["grad_clip_norm"])
        optimizer.step()
        finish()

    seconds = interleaved({"raw": raw, "ours": ours}, repeats=6)
    return seconds["raw"] / seconds["ours"], batch / seconds["ours"]
