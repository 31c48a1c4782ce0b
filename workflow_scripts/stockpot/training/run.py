"""One run: train a variant and write its classifier."""

import logging
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..datasets.dataset import Dataset, read_dataset
from ..models.card import Card, read_card
from ..models.classifier import write_classifier
from ..models.device import pick_device
from ..runtime.digest import short
from . import variants
from .averages import Averages
from .distributed import Distributed
from .loop import DivergedError

log = logging.getLogger(__name__)


def run(
    spec: dict[str, Any],
    train: Path,
    held_out: Path,
    start: Path | None,
    folder: Path,
    code: str,
    *,
    second_dataset: Path | None = None,
    averages: bool = False,
) -> None:
    """Train a run and write its classifier; a diverged run gets a card and no weights.

    A stopped run resumes from ``folder/.state``, unless the code, the data or the initial
    weights are no longer what they were.

    Args:
        spec: variant, name and the variant's hyperparameters.
        train: Folder of the training set.
        held_out: Folder of the held-out set.
        start: Folder of the classifier with the initial weights; None for random ones.
        folder: Where the classifier is written.
        code: A digest of the code that can change the weights.
        second_dataset: Folder of a second training set.
        averages: Whether the averages that the spec asks for are saved beside the weights.

    Raises:
        StockpotError: Data or initial weights are damaged or do not fit.
        StoppedError: A signal has asked to stop, and the state is saved.
    """
    variant = variants.load(spec["variant"])
    state_dir = folder / ".state"
    train_set = read_dataset(train)
    held_out_set = read_dataset(held_out)
    initial_card = read_card(start) if start else None
    second_set = read_dataset(second_dataset) if second_dataset else None
    dependencies = _digests(code, [train_set, held_out_set], initial_card, second_set)
    # A state of other code or data lies in another folder, so it is not found.
    context = variants.Context(
        initial_classifier=start,
        train=train_set,
        held_out=held_out_set,
        state_dir=state_dir / short(dependencies),
        device=pick_device(),
        second_dataset=second_set,
        averages_dir=folder if averages else None,
    )
    # Divergence is a result: the card tells the workflow to leave the run out of all soups.
    try:
        if initial_card and initial_card.status != "ok":
            raise DivergedError(
                f"its start, {initial_card.name}, {initial_card.status}"
            )
        card, tensors = variant(spec, context)
    except DivergedError as error:
        log.error(
            "%s diverged: %s; it will enter no soup. A lower lr may help.",
            spec["name"],
            error,
        )
        card = _diverged_card(train_set.class_names, str(error))
        tensors = {}
        if averages and Distributed().is_main:
            _save_no_averages(folder)
    if not Distributed().is_main:
        return
    # All processes end with the same weights; one of them writes.
    card = replace(
        card,
        name=spec["name"],
        kind=spec["variant"],
        spec=spec,
    )
    write_classifier(folder, card, tensors)
    # The states of other code or data go too.
    shutil.rmtree(state_dir, ignore_errors=True)


def _digests(
    code: str,
    datasets: list[Dataset],
    initial_card: Card | None,
    second_set: Dataset | None,
) -> list[str]:
    """All that a state depends on; a state that depends on anything else is not resumed."""
    digests = [code]
    digests += [dataset.fingerprint for dataset in datasets]
    if initial_card:
        digests.append(initial_card.sha256)
    if second_set:
        digests.append(second_set.fingerprint)
    return digests


def _save_no_averages(folder: Path) -> None:
    """Write the file of averages that the workflow expects, without any."""
    Averages(
        torch.nn.Module(),
        [],
        swa_start=1,
        total_steps=0,
    ).save(folder)


def _diverged_card(class_names: list[str], reason: str) -> Card:
    return Card(
        name="",
        kind="",
        architecture={},
        class_names=class_names,
        normalise=False,
        mean=[],
        std=[],
        image_size=0,
        status=f"diverged ({reason})",
    )
