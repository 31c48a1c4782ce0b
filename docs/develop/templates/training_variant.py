"""Template of a training variant: copy to stockpot/training/variants/<name>.py, and change it.

This one fine-tunes tower and head on the training images as they are, without augmentation.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...models.load import load_classifier
from ..images import image_batches
from ..lineage import lineage_sha256
from ..loop import fit
from . import Context, Variant
from ._options import FewShots, InitialHead

if TYPE_CHECKING:
    import torch

    from ...models.card import Card


class Options(InitialHead, FewShots):
    """Hyperparameters beside those that every run has."""


VARIANT = Variant(options=Options)


def train(
    spec: dict[str, Any],
    context: Context,
) -> tuple["Card", dict[str, "torch.Tensor"]]:
    """Train one run.

    Args:
        spec: The hyperparameters of the run.
        context: Initial weights, data and device.

    Returns:
        The card and the tensors of the classifier.
    """
    device = context.device
    model, card = load_classifier(context.initial_classifier, device)
    train_set = image_batches(context.train, card, 1, device)
    held_out = image_batches(context.held_out, card, 1, device)
    history = fit(model, train_set, held_out, spec, context.state_dir, device)
    card = replace(card, start=lineage_sha256(card, spec), history=history)
    return card, model.state_dict()
