"""The initial weights of a study whose model has no text side: its tower under a random head."""

import json
from pathlib import Path
from typing import Any

from .card import Card
from .checkpoints.numbers import check_state
from .classifier import HEAD, TOWER, write_classifier
from .files import CONFIG, preprocessing
from .tower import TIMM, ImageClassifier, build_tower
from .weights_file import load_weights


def write_random_head(
    folder: Path,
    architecture: Path,
    weights: Path,
    spec: dict[str, Any],
) -> Card:
    """Write a tower and a random head as one classifier.

    Args:
        folder: Where the classifier is written.
        architecture: Folder with the config.
        weights: Safetensors file of the tower.
        spec: name, classes, and seed, which the head depends on.

    Returns:
        The card of the classifier.

    Raises:
        StockpotError: The weights cannot be read, or are no finite numbers.
    """
    config = json.loads((architecture / CONFIG).read_text("utf-8"))
    tower_description = {
        "library": TIMM,
        "name": config["timm"],
        "options": {},
    }
    tower = build_tower(tower_description)
    tower.load_state_dict(check_state(load_weights(weights), tower, weights))
    class_names = spec["classes"]
    model = ImageClassifier(
        tower,
        tower.num_features,
        len(class_names),
        normalise=False,
    )
    model.reset_head(spec["seed"])
    image_options = preprocessing(config)
    card = Card(
        name=spec["name"],
        kind="zero-shot",
        architecture=tower_description,
        class_names=class_names,
        normalise=False,
        **image_options,
        # The card has the classes already.
        spec={key: value for key, value in spec.items() if key != "classes"},
    )
    tensors = {}
    for name, tensor in tower.state_dict().items():
        tensors[TOWER + name] = tensor
    for name, tensor in model.head.state_dict().items():
        tensors[HEAD + name] = tensor
    return write_classifier(folder, card, tensors)
