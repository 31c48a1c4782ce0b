"""One run: train a variant and write its Classifier."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

from ..datasets.dataset import read_dataset
from ..models.card import Card
from ..models.classifier import write_classifier
from ..models.device import pick_device
from . import variants
from .loop import Diverged

log = logging.getLogger(__name__)


def run(
    spec: dict, train: Path, held_out: Path, start: Path | None, folder: Path, state_dir: Path
) -> None:
    """Train and write to ``folder``; a diverged run writes a card that says so and no weights.

    spec: variant, name and the variant's hyperparameters. train, held_out: Dataset folders.
    """
    variant = variants.load(spec["variant"])
    context = variants.Context(
        start=start,
        train=read_dataset(train),
        held_out=read_dataset(held_out),
        state_dir=state_dir,
        device=pick_device(),
    )
    try:
        card, tensors = variant(spec, context)
    except Diverged as error:
        log.error("%s diverged: %s; it will enter no soup. A lower lr helps.", spec["name"], error)
        card, tensors = _diverged(context, str(error)), {}
    card = replace(card, name=spec["name"], kind=spec["variant"], spec=spec)
    write_classifier(folder, card, tensors)
    shutil.rmtree(state_dir, ignore_errors=True)


def _diverged(context: variants.Context, reason: str) -> Card:
    classes = context.train.class_names
    return Card("", "", {}, classes, False, [], [], 0, status=f"diverged ({reason})")
