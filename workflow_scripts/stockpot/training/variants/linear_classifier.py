"""The linear classifier: only the head is trained, on features computed once (WiSE-FT D.3)."""

import copy
from dataclasses import replace

from ...models.classifier import HEAD, TOWER
from ...models.load import load_classifier
from ..images import features, image_batches
from ..loop import fit
from ..origin import start_of

OPTIONS = {
    "initial_head": {
        "description": "the start's, zero-shot or trained (LP-FT); or random, poor for WiSE-FT",
        "enum": ["start", "random"],
        "default": "start",
    },
    "head_seed": {
        "description": "of a random head; runs to be mixed need the same",
        "type": "integer",
        "minimum": 0,
        "default": 0,
    },
    "l1": {
        "description": "factor of the sum of the head's magnitudes",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "l2_start": {
        "description": "factor of the squared distance to the start (L2-SP)",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "distill": {
        "description": "share of the loss that is cross-entropy with the start's predictions",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0.0,
    },
    "shots": {
        "description": "training images per class; 0 is all",
        "type": "integer",
        "minimum": 0,
        "default": 0,
    },
    "shots_seed": {"type": "integer", "minimum": 0, "default": 0},
}


def train(spec, context):
    model, card = load_classifier(context.start, context.device)
    start = copy.deepcopy(model.head)
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    few = {key: spec[key] for key in ("name", "shots", "shots_seed")}
    train_set = image_batches(context.train, card, 1, context.device, spec=few)
    held_out = image_batches(context.held_out, card, 1, context.device)
    train_set, held_out = (features(model, d, context.device) for d in (train_set, held_out))
    history = fit(model.head, train_set, held_out, spec, context.state_dir, context.device, start)
    tensors = {TOWER + name: tensor for name, tensor in model.visual.state_dict().items()}
    tensors |= {HEAD + name: tensor for name, tensor in model.head.state_dict().items()}
    return replace(card, start=start_of(card, spec), history=history), tensors
