"""The linear classifier: only the head is trained, on features computed once (WiSE-FT D.3)."""

import copy
from dataclasses import replace
from typing import Any

import torch
from pydantic import Field

from ...models.card import Card
from ...models.classifier import HEAD, TOWER
from ...models.load import load_classifier
from ...runtime.options import from_paper
from ..images import features, image_batches
from ..lineage import lineage_sha256
from ..loop import fit
from . import Context, Variant
from ._options import FewShots, InitialHead, NearStart


class Options(InitialHead, NearStart, FewShots):
    """Hyperparameters of this variant."""

    l1: float = Field(
        0.0,
        ge=0,
        description="λ of λ ‖W‖₁ of a linear classifier in the loss",
        json_schema_extra=from_paper("WiSE-FT, D.3"),
    )


VARIANT = Variant(options=Options)


def train(
    spec: dict[str, Any],
    context: Context,
) -> tuple[Card, dict[str, torch.Tensor]]:
    """Train the head of the initial classifier.

    Args:
        spec: The hyperparameters of the run.
        context: Initial weights, data and device.

    Returns:
        The card and the tensors of the classifier.
    """
    device = context.device
    model, card = load_classifier(context.initial_classifier, device)
    # What L2-SP and distillation refer to, also where training starts from a random head.
    initial_head = copy.deepcopy(model.head)
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    # The tower stays as it is, so its features of each image are computed only once.
    few_shots = {key: spec[key] for key in ("name", "shots", "shots_seed")}
    train_images = image_batches(
        context.train,
        card,
        1,
        device,
        spec=few_shots,
    )
    held_out_images = image_batches(context.held_out, card, 1, device)
    train_set = features(model, train_images, device)
    held_out = features(model, held_out_images, device)
    history = fit(
        model.head,
        train_set,
        held_out,
        spec,
        context.state_dir,
        device,
        initial_head,
    )
    tensors = {}
    for name, tensor in model.visual.state_dict().items():
        tensors[TOWER + name] = tensor
    for name, tensor in model.head.state_dict().items():
        tensors[HEAD + name] = tensor
    card = replace(card, start=lineage_sha256(card, spec), history=history)
    return card, tensors
