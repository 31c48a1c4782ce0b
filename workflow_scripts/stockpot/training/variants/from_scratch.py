"""Baselines: trained on the training distribution only, from random weights."""

from typing import Any, Literal

import torch
from pydantic import Field

from ...models.card import Card
from ...models.tower import ImageClassifier, build_tower
from ...runtime.options import PluginOptions
from ..images import image_batches
from ..loop import fit
from . import Context, Variant


class Architecture(PluginOptions):
    """The architecture of a baseline.

    Attributes:
        library: The library that makes it.
        name: Its name there.
        options: Its own options there.
    """

    library: Literal["timm"]
    name: str
    options: dict


class Options(PluginOptions):
    """Hyperparameters of this variant."""

    architecture: Architecture = Field(description="a timm model, and its own options")
    images: int = Field(
        ge=2, description="number of training images that the model is trained on"
    )


VARIANT = Variant(options=Options)

# Pixels of [0, 1] become numbers of about [-2, 2].
MEAN = [0.5, 0.5, 0.5]
STD = [0.25, 0.25, 0.25]


def train(
    spec: dict[str, Any],
    context: Context,
) -> tuple[Card, dict[str, torch.Tensor]]:
    """Train a baseline.

    Args:
        spec: The hyperparameters of the run.
        context: Data and device.

    Returns:
        The card and the tensors of the classifier.
    """
    # The initial weights are drawn from torch's global generator.
    torch.manual_seed(spec["seed"])
    tower = build_tower(spec["architecture"])
    class_names = context.train.class_names
    model = ImageClassifier(
        tower,
        tower.num_features,
        len(class_names),
        normalise=False,
    )
    # Convolutions are faster with the channels as the last axis.
    model.to(memory_format=torch.channels_last)
    card = Card(
        name="",
        kind="",
        architecture=spec["architecture"],
        class_names=class_names,
        normalise=False,
        mean=MEAN,
        std=STD,
        image_size=context.train.images.shape[1],
    )
    train_set = image_batches(
        context.train,
        card,
        spec["min_crop_area"],
        context.device,
        spec["images"],
    )
    held_out = image_batches(context.held_out, card, 1, context.device)
    card.history = fit(
        model,
        train_set,
        held_out,
        spec,
        context.state_dir,
        context.device,
    )
    return card, model.state_dict()
