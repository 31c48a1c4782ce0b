"""Cards of models that do not exist, and edited copies of Classifiers."""

import hashlib
from dataclasses import replace

from stockpot.models.card import Card
from stockpot.models.classifier import Weights, write_classifier


def card_of(name, **changes) -> Card:
    sha = hashlib.sha256(name.encode()).hexdigest()
    settings = {
        "kind": "end-to-end",
        "architecture": {"library": "timm", "name": "x"},
        "class_names": ["cat", "dog"],
        "normalise": True,
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "image_size": 32,
        "start": "zero",
        "sha256": sha,
    }
    return Card(name, **{**settings, **changes})


ENGINE_SPEC = {"precision": "fp32", "batch_size": 50, "store_logits": True}


def edited_copy(folder, out, edit=None, **changes):
    """A Classifier with edited tensors and an edited card."""
    weights = Weights(folder)
    tensors = {name: weights[name].clone() for name in weights.names}
    if edit:
        edit(tensors)
    write_classifier(out, replace(weights.card, name=out.name, **changes), tensors)
    return out
