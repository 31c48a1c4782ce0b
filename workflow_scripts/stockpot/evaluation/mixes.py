"""Evaluate what one analysis wants to know of mixes that are no models of the study."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..datasets.dataset import Dataset
from ..models.card import read_card
from ..runtime.digest import sha256
from ..runtime.sealed import write_sealed
from .context import FolderContext
from .family import scored

log = logging.getLogger(__name__)


def evaluate_mixes(
    mixes: Callable,
    roles: list[str],
    spec: dict,
    classifiers: list[Path],
    sets: dict[str, list[Dataset]],
    store: Path,
    out: Path,
) -> None:
    """Fill the store with the mixes' cells and list them in ``out`` (JSON).

    A cell: what the analysis calls the mix, dataset, role, metric, value, n, k and the store's
    key. mixes, roles: the analysis's generator, and on what it is evaluated. spec: options,
    precision, batch_size, store_logits. classifiers: of the zero-shot model and the runs; those
    that diverged are left out. sets: role -> data sets; "held_out" is always there. Of a training
    set as many images count as the option train_images says.
    """
    cards = [card for card in map(read_card, classifiers) if card.status == "ok"]
    models = {
        card.name if i else "zero-shot": card.sha256 for i, card in enumerate(cards)
    }
    context = FolderContext(
        spec, classifiers, sets["held_out"][0], sets["train"], store
    )
    wanted = [role.replace("-", "_") for role in roles]
    if most := spec["options"].get("train_images"):
        sets = {**sets, "train": [part(dataset, most) for dataset in sets["train"]]}
    rows, started = [], time.monotonic()
    for done, (labels, recipe) in enumerate(mixes(models, context, spec["options"]), 1):
        for role in wanted:
            for dataset in sets[role]:
                key, found = context.evaluator.predictions(recipe, dataset)
                cell = {"dataset": dataset.name, "role": role, **scored(dataset, found)}
                rows.append({**labels, **cell, "key": key})
        log.info(
            "%s  %d done, %.1f s each",
            labels["model"],
            done,
            (time.monotonic() - started) / done,
        )
    context.report()
    write_sealed(
        out, {"cells": rows}, depth=5
    )  # studies/<study>/<seed>/mixes/<analysis>.json


def part(dataset: Dataset, most: int) -> Dataset:
    """The data set, or ``most`` of its images, evenly spread over it."""
    if len(dataset) <= most:
        return dataset
    rows = np.linspace(0, len(dataset) - 1, most).round().astype(int)
    fingerprint = sha256({"part": most, "of": dataset.fingerprint})
    images, labels = dataset.images[rows], dataset.labels[rows]
    scoring = dataset.scoring.select_rows(rows)
    return Dataset(
        dataset.name, images, labels, dataset.class_names, fingerprint, scoring
    )
