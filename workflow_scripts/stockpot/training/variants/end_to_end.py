"""End-to-end fine-tuning: tower and head, from the zero-shot model (WiSE-FT section 3, D.2)."""

import logging
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from ...models.device import fast_at_bf16
from ...models.load import load_classifier
from ...runtime.options import from_paper
from ..images import image_batches, joint
from ..loop import fit
from ..origin import start_of
from . import Variant
from ._options import FewShots, InitialHead, NearStart


class Options(InitialHead, NearStart, FewShots):
    freeze_head: bool = Field(
        False,
        description="train the tower alone, so that it serves other heads",
        json_schema_extra=from_paper("PAINT, Ilharco et al., NeurIPS 2022"),
    )
    precision: Literal["fp32", "bf16"] = Field(
        "fp32",
        description="bf16: the tower's arithmetic is in bf16 (autocast); its weights, the head and "
        "the optimizer stay in fp32. Faster on devices made for it, of which we have measured "
        "none. The accuracies in the run's log are in bf16 too",
    )
    mixup: float = Field(
        0.0,
        ge=0,
        description="alpha of the Beta distribution from which the shares of two images are drawn; "
        "0 is none",
        json_schema_extra=from_paper("Zhang et al., ICLR 2018"),
    )
    flip: float = Field(
        0.0,
        ge=0,
        le=1,
        description="probability of a mirror image; digits and texts have none",
    )
    color_jitter: float = Field(
        0.0,
        ge=0,
        description="strength of brightness, contrast and saturation; timm's default is 0.4",
        json_schema_extra=from_paper("torchvision"),
    )
    aspect: float = Field(
        1.0,
        ge=1,
        description="widest crop, width by height; 4/3 with crop 0.08 is nearly timm's; 4/3 is "
        "1.3333 in YAML. A box is cut at the image's edge where timm draws another, so boxes are "
        "larger in the mean (0.53 of the area instead of 0.48)",
    )
    randaugment_ops: int = Field(
        0,
        ge=0,
        description="RandAugment's operations per image; 0 is none",
        json_schema_extra=from_paper("Cubuk et al., NeurIPS 2020; torchvision"),
    )
    randaugment_magnitude: int = Field(
        9,
        ge=0,
        le=30,
        description="magnitude among torchvision's 31 steps; timm has 10, so that the same number "
        "is a third of the strength (9 turns by 9 degrees, timm's by 27)",
    )
    sam: float = Field(
        0.0,
        ge=0,
        description="radius ρ of sharpness-aware minimisation; 0 is none. A step costs two. "
        "Running statistics of BatchNorm are those of the first pass",
        json_schema_extra=from_paper("Foret et al., ICLR 2021"),
    )
    ema: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [],
        description="decays of the moving averages that are saved with the run, for soups of "
        "method ema",
        json_schema_extra=from_paper("WiSE-FT, C.3.2") | {"uniqueItems": True},
    )
    swa: float = Field(
        1.0,
        ge=0,
        le=1,
        description="share of the steps after which a mean of the weights is kept, for soups of "
        "method swa; 1 keeps none",
        json_schema_extra=from_paper("Izmailov et al., UAI 2018"),
    )
    joint: str = Field(
        "",
        description="a second data set to train on at the same time; none where empty. An epoch "
        "stays as long as the training set",
    )
    joint_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of an epoch's images that come from the second data set",
    )


VARIANT = Variant(options=Options, several_processes=True)
log = logging.getLogger(__name__)


def train(spec, context):
    model, card = load_classifier(context.start)
    model.autocast = spec["precision"] == "bf16"
    if model.autocast and not fast_at_bf16(context.device):
        log.warning(
            "bf16 saves no time on this device; precision: fp32 does the same, exactly"
        )
    start = None
    if spec["distill"] or spec["l2_start"]:
        start = load_classifier(context.start, context.device)[0]
        start.autocast = model.autocast
    if spec["initial_head"] == "random":
        model.reset_head(spec["head_seed"])
    model.head.requires_grad_(not spec["freeze_head"])
    train_set = image_batches(
        context.train, card, spec["crop"], context.device, spec=spec
    )
    if context.joint:
        second = image_batches(context.joint, card, 1, context.device)
        train_set = joint(train_set, second, spec["joint_share"])
    held_out = image_batches(context.held_out, card, 1, context.device)
    history = fit(
        model,
        train_set,
        held_out,
        spec,
        context.state_dir,
        context.device,
        start,
        context.averages_dir,
    )
    return replace(
        card, start=start_of(card, spec), history=history
    ), model.state_dict()
