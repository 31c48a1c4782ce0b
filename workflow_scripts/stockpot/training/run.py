"""One run: train a variant and write its Classifier."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path

import torch

from ..datasets.dataset import read_dataset
from ..models.card import Card, read_card
from ..models.classifier import write_classifier
from ..models.device import pick_device
from ..runtime.digest import short
from . import variants
from .averages import Averages
from .loop import Diverged
from .processes import Processes

log = logging.getLogger(__name__)


def run(
    spec: dict,
    train: Path,
    held_out: Path,
    start: Path | None,
    folder: Path,
    code: str,
    joint: Path | None = None,
    averages: bool = False,
) -> None:
    """Train and write to ``folder``; a diverged run writes a card that says so and no weights.

    spec: variant, name and the variant's hyperparameters. train, held_out, joint: Dataset
    folders. averages: save those that the spec asks for beside the weights.
    A stopped run resumes from ``folder/.state``, unless the code (a digest), the data or the
    start are no longer what they were.
    """
    variant, state = variants.load(spec["variant"]), folder / ".state"
    train_set, held_out_set = read_dataset(train), read_dataset(held_out)
    follows_from = [code, train_set.fingerprint, held_out_set.fingerprint]
    follows_from += [read_card(start).sha256] if start else []
    joint_set = read_dataset(joint) if joint else None
    follows_from += [joint_set.fingerprint] if joint else []
    context = variants.Context(
        start=start,
        train=train_set,
        held_out=held_out_set,
        state_dir=state / short(follows_from),
        device=pick_device(),
        joint=joint_set,
        averages_dir=folder if averages else None,
    )
    try:
        if start and (first := read_card(start)).status != "ok":
            raise Diverged(f"its start, {first.name}, {first.status}")
        card, tensors = variant(spec, context)
    except Diverged as error:
        log.error(
            "%s diverged: %s; it will enter no soup. A lower lr helps.",
            spec["name"],
            error,
        )
        card, tensors = _diverged(context, str(error)), {}
        if averages and Processes().first:
            Averages(torch.nn.Module(), [], 1, 0).save(folder)
    if not Processes().first:
        return
    card = replace(card, name=spec["name"], kind=spec["variant"], spec=spec)
    write_classifier(folder, card, tensors)
    shutil.rmtree(state, ignore_errors=True)


def _diverged(context: variants.Context, reason: str) -> Card:
    classes = context.train.class_names
    return Card("", "", {}, classes, False, [], [], 0, status=f"diverged ({reason})")
