"""End-to-end fine-tuning: tower and head, from the zero-shot model (WiSE-FT section 3, D.2)."""

import logging
from dataclasses import replace

from ...models.device import fast_at_bf16
from ...models.load import load_classifier
from ..images import image_batches, joint
from ..loop import fit
from ..origin import start_of

log = logging.getLogger(__name__)

SHARED = True
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
    "freeze_head": {
        "description": "train the tower alone, so that it serves other heads (PAINT)",
        "type": "boolean",
        "default": False,
    },
    "precision": {
        "description": "of the tower's arithmetic; weights, head and optimizer stay in fp32",
        "enum": ["fp32", "bf16"],
        "default": "fp32",
    },
    "mixup": {
        "description": "alpha of the Beta distribution of the shares; 0 is none",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "flip": {
        "description": "probability of a mirror image",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0.0,
    },
    "color_jitter": {
        "description": "strength of brightness, contrast and saturation; timm's default is 0.4",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "aspect": {
        "description": "widest crop, width by height; timm's default is 4/3, with crop 0.08",
        "type": "number",
        "minimum": 1,
        "default": 1.0,
    },
    "randaugment_ops": {
        "description": "RandAugment's operations per image; 0 is none",
        "type": "integer",
        "minimum": 0,
        "default": 0,
    },
    "randaugment_magnitude": {"type": "integer", "minimum": 0, "maximum": 30, "default": 9},
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
    "sam": {
        "description": "radius of sharpness-aware minimisation; 0 is none",
        "type": "number",
        "minimum": 0,
        "default": 0.0,
    },
    "ema": {
        "description": "decays of the moving averages to save, for soups of method ema",
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "uniqueItems": True,
        "default": [],
    },
    "swa": {
        "description": "save the mean of the steps after this share of them; 1 saves none",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 1.0,
    },
    "shots": {
        "description": "training images per class; 0 is all",
        "type": "integer",
        "minimum": 0,
        "default": 0,
    },
    "shots_seed": {"type": "integer", "minimum": 0, "default": 0},
    "joint": {
        "description": "a second data set to train on at the same time; none where empty",
        "type": "string",
        "default": "",
    },
    "joint_share": {
        "description": "share of an epoch's images that come from the second data set",
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "default": 0.5,
    },
}


def train(spec, context):
    model, card = load_classifier(context.start)
    model.autocast = spec["precision"] == "bf16"
    if model.autocast and not fast_at_bf16(context.device):
        log.warning("bf16 saves no time on this device; precision: fp32 does the same, exactly")
    start = None
    if spec["distill"] or spec["l2_start"]:
        start = load_classifier(context.start, context.device)[0]
        start.autocast = model.autocast
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    model.head.requires_grad_(not spec["freeze_head"])
    train_set = image_batches(context.train, card, spec["crop"], context.device, spec=spec)
    if context.joint:
        second = image_batches(context.joint, card, 1, context.device)
        train_set = joint(train_set, second, spec["joint_share"])
    held_out = image_batches(context.held_out, card, 1, context.device)
    history = fit(
        model, train_set, held_out, spec, context.state_dir, context.device, start,
        context.averages_dir,
    )  # fmt: skip
    return replace(card, start=start_of(card, spec), history=history), model.state_dict()
