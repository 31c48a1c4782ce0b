"""The start of a model without a text side: its tower under a random head."""

import json
from pathlib import Path

from .card import Card
from .checkpoints.numbers import check_state
from .classifier import HEAD, TOWER, write_classifier
from .files import CONFIG, preprocessing
from .tower import TIMM, ImageClassifier, build_tower
from .weights_file import load_weights


def write_start(folder: Path, architecture: Path, weights: Path, spec: dict) -> Card:
    """Write tower and head as one Classifier; the same seed gives the same head.

    architecture: folder with the config. weights: safetensors file of the tower. spec: name,
    classes, seed.
    """
    config = json.loads((architecture / CONFIG).read_text("utf-8"))
    described = {"library": TIMM, "name": config["timm"], "options": {}}
    tower = build_tower(described)
    tower.load_state_dict(check_state(load_weights(weights), tower, weights))
    model = ImageClassifier(
        tower, tower.num_features, len(spec["classes"]), normalise=False
    )
    model.reset_head(spec["seed"])
    wanted = preprocessing(config)
    card = Card(
        name=spec["name"],
        kind="zero-shot",
        architecture=described,
        class_names=spec["classes"],
        normalise=False,
        image_size=wanted.pop("side"),
        **wanted,
        spec={key: value for key, value in spec.items() if key != "classes"},
    )
    tensors = {TOWER + key: tensor for key, tensor in tower.state_dict().items()}
    tensors |= {HEAD + key: tensor for key, tensor in model.head.state_dict().items()}
    return write_classifier(folder, card, tensors)
