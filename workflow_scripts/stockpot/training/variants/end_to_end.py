"""End-to-end fine-tuning: tower and head, from the zero-shot model (WiSE-FT section 3, D.2)."""

import logging
from dataclasses import replace
from typing import Annotated, Any, Literal

import torch
from pydantic import Field

from ...models.card import Card
from ...models.device import fast_at_bf16
from ...models.load import load_classifier
from ...runtime.options import from_paper
from ..images import image_batches, mixed_batches
from ..lineage import lineage_sha256
from ..loop import Batches, fit
from . import Context, Variant
from ._options import FewShots, InitialHead, NearStart


class Options(InitialHead, NearStart, FewShots):
    """Hyperparameters of this variant."""

    freeze_head: bool = Field(
        default=False,
        description="train only the tower, so that it also fits other heads",
        json_schema_extra=from_paper("PAINT, Ilharco et al., NeurIPS 2022"),
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32",
        description="bf16: the tower computes in bf16 (autocast); its weights, the head "
        "and the optimizer stay in fp32. This is faster on devices made for "
        "bf16 (not measured here). The accuracies in the run's log are then "
        "also in bf16",
    )
    mixup: float = Field(
        0.0,
        ge=0,
        description="alpha of the Beta distribution from which the weights of the two "
        "images are drawn; 0 turns mixup off",
        json_schema_extra=from_paper("Zhang et al., ICLR 2018"),
    )
    flip_probability: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability that an image is mirrored; use 0 for digits and texts",
    )
    color_jitter: float = Field(
        0.0,
        ge=0,
        description="strength of brightness, contrast and saturation; timm's default is 0.4",
        json_schema_extra=from_paper("torchvision"),
    )
    max_crop_aspect: float = Field(
        1.0,
        ge=1,
        description="largest ratio of width to height of a crop. 1.3333 (4/3) with "
        "min_crop_area 0.08 is nearly the same as in timm. A crop that leaves the image "
        "is cut at the edge, where timm draws another crop; so crops are "
        "larger on average (0.53 of the area instead of 0.48)",
    )
    randaugment_ops: int = Field(
        0,
        ge=0,
        description="number of RandAugment operations per image; 0 turns RandAugment "
        "off",
        json_schema_extra=from_paper("Cubuk et al., NeurIPS 2020; torchvision"),
    )
    randaugment_magnitude: int = Field(
        9,
        ge=0,
        le=30,
        description="magnitude, one of torchvision's 31 steps. timm has 10 steps, so "
        "the same number is a third of the strength (9 rotates by 9 "
        "degrees, timm's 9 by 27)",
    )
    sam_rho: float = Field(
        0.0,
        ge=0,
        description="radius ρ of sharpness-aware minimisation; 0 turns it off. Each "
        "step costs as much as two steps. Running statistics of BatchNorm "
        "come from the first pass",
        json_schema_extra=from_paper("Foret et al., ICLR 2021"),
    )
    ema_decays: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [],
        description="decays of the moving averages that are saved with the run, for soups of "
        "method ema",
        json_schema_extra=from_paper("WiSE-FT, C.3.2") | {"uniqueItems": True},
    )
    swa_start: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the steps after which a mean of the weights begins, for "
        "soups of method swa; 1 keeps no mean",
        json_schema_extra=from_paper("Izmailov et al., UAI 2018"),
    )
    second_dataset: str = Field(
        "",
        description="a second data set to train on at the same time; empty: none. An "
        "epoch has as many images as the training set",
    )
    second_dataset_fraction: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of an epoch's images that come from the second data set",
    )


VARIANT = Variant(options=Options, several_processes=True)
log = logging.getLogger(__name__)


def train(
    spec: dict[str, Any],
    context: Context,
) -> tuple[Card, dict[str, torch.Tensor]]:
    """Fine-tune tower and head.

    Args:
        spec: The hyperparameters of the run.
        context: Initial weights, data and device.

    Returns:
        The card and the tensors of the classifier.
    """
    device = context.device
    model, card = load_classifier(context.initial_classifier)
    model.autocast = spec["precision"] == "bf16"
    if model.autocast and not fast_at_bf16(device):
        log.warning(
            "bf16 saves no time on this device; precision: fp32 is as fast, and exact"
        )
    # The two terms that need the initial model cost memory, and distillation a forward pass.
    initial_model = None
    if spec["distillation_weight"] or spec["l2_sp"]:
        initial_model, _ = load_classifier(context.initial_classifier, device)
        initial_model.autocast = model.autocast
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    # A frozen head stays the zero-shot head, so that the tower fits the heads of other tasks.
    model.head.requires_grad_(not spec["freeze_head"])
    held_out = image_batches(context.held_out, card, 1, device)
    history = fit(
        model,
        _training_batches(spec, context, card),
        held_out,
        spec,
        context.state_dir,
        device,
        initial_model,
        context.averages_dir,
    )
    card = replace(card, start=lineage_sha256(card, spec), history=history)
    return card, model.state_dict()


def _training_batches(
    spec: dict[str, Any],
    context: Context,
    card: Card,
) -> Batches:
    """The augmented training set, mixed with a second one if the run has one."""
    train_set = image_batches(
        context.train,
        card,
        spec["min_crop_area"],
        context.device,
        spec=spec,
    )
    if not context.second_dataset:
        return train_set
    second_set = image_batches(context.second_dataset, card, 1, context.device)
    return mixed_batches(train_set, second_set, spec["second_dataset_fraction"])
