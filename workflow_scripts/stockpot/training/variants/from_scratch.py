"""Standard models: trained on the reference alone, from random weights."""

from typing import Literal

import torch
from pydantic import Field

from ...models.card import Card
from ...models.tower import ImageClassifier, build_tower
from ...runtime.options import PluginOptions
from ..images import image_batches
from ..loop import fit
from . import Variant


class Architecture(PluginOptions):
    library: Literal["timm"]
    name: str
    options: dict


class Options(PluginOptions):
    architecture: Architecture = Field(
        description="a model of timm, and its own options"
    )
    images: int = Field(ge=2, description="how many of the training images it sees")


VARIANT = Variant(options=Options)
MEAN, STD = [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]


def train(spec, context):
    torch.manual_seed(spec["seed"])
    tower = build_tower(spec["architecture"])
    classes = context.train.class_names
    model = ImageClassifier(tower, tower.num_features, len(classes), normalise=False)
    model.to(memory_format=torch.channels_last)
    card = Card(
        name="",
        kind="",
        architecture=spec["architecture"],
        class_names=classes,
        normalise=False,
        mean=MEAN,
        std=STD,
        image_size=context.train.images.shape[1],
    )
    train_set = image_batches(
        context.train, card, spec["crop"], context.device, spec["images"]
    )
    held_out = image_batches(context.held_out, card, 1, context.device)
    card.history = fit(
        model, train_set, held_out, spec, context.state_dir, context.device
    )
    return card, model.state_dict()
