"""Classifiers and images to measure with: the embedded model and a random ViT-B/32."""

from pathlib import Path

import numpy as np
import torch

from stockpot.datasets.dataset import Dataset
from stockpot.models.classifier import Card, Weights, write_classifier
from stockpot.models.files import CONFIG
from stockpot.models.load import empty_classifier

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
VIT_B_32 = {
    "model_cfg": {
        "embed_dim": 512,
        "vision_cfg": {"image_size": 224, "layers": 12, "width": 768, "patch_size": 32},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 64,
            "heads": 1,
            "layers": 1,
        },
    },
    "preprocess_cfg": {"size": [224, 224], "mean": MEAN, "std": STD},
}


def mini_clip(root: Path) -> dict:
    """Read the config of the embedded model.

    Args:
        root: Folder of the project.

    Returns:
        The config, as open_clip wants it.
    """
    import json

    return json.loads((root / "resources" / "mini_clip" / CONFIG).read_text())


def pair(folder: Path, config: dict, classes: int) -> list[Weights]:
    """Two Classifiers of random weights that count as start and fine-tuned model."""
    names = [f"class {i}" for i in range(classes)]
    size = config["model_cfg"]["vision_cfg"]["image_size"]
    architecture = {"library": "open_clip", "config": config}
    cards = []
    for seed, start in ((0, ""), (1, None)):
        torch.manual_seed(seed)
        card = Card(
            f"model-{seed}",
            "end-to-end",
            architecture,
            names,
            normalise=True,
            mean=MEAN,
            std=STD,
            image_size=size,
            start=cards[0].sha256 if start is None else start,
        )
        model = empty_classifier(card, config["model_cfg"]["embed_dim"])
        cards.append(write_classifier(folder / card.name, card, model.state_dict()))
    return [Weights(folder / card.name, verify=False) for card in cards]


def images(n: int, side: int, classes: int) -> Dataset:
    """Random pixels: the cost of a forward pass does not depend on what is seen."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, side, side, 3), np.uint8)
    labels = rng.integers(0, classes, n)
    return Dataset(
        "random", pixels, labels, [f"class {i}" for i in range(classes)], "random"
    )
