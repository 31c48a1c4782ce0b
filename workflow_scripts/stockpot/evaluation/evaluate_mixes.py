"""Evaluate mixes that an analysis asks for and that are no models of the study."""

import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.dataset import Dataset
from ..models.card import read_card
from ..runtime.digest import sha256
from ..runtime.sealed import write_sealed
from .cells import LabelledRecipe
from .evaluate_models import score_predictions
from .merge_context import FolderContext

log = logging.getLogger(__name__)


def evaluate_mixes(
    mixes: Callable[..., Iterable[LabelledRecipe]],
    roles: list[str],
    spec: dict[str, Any],
    classifiers: list[Path],
    sets: dict[str, list[Dataset]],
    store: Path,
    out: Path,
) -> None:
    """Fill the store with cells of the mixes, and list the cells in a file.

    Each listed cell has what the analysis calls the mix, dataset, role, metric, value, n, k and
    the store's key.

    Args:
        mixes: The analysis's generator of pairs: labels, recipe.
        roles: Roles of the data sets that the mixes are evaluated on.
        spec: ``options`` of the analysis, ``precision``, ``batch_size`` and ``store_logits``.
            With the option ``train_images`` that many images of a training set are used.
        classifiers: Folders of the zero-shot model and of the runs. Those that diverged are left
            out.
        sets: Role -> data sets; "held_out" is always there.
        store: Folder of the store.
        out: The JSON file of the list.
    """
    options = spec["options"]
    context = FolderContext(
        spec,
        classifiers,
        sets["held_out"][0],
        sets["train"],
        store,
    )
    datasets = _datasets_of_roles(roles, sets, options.get("train_images"))
    recipes = mixes(_usable_models(classifiers), context, options)
    cells = _evaluate(recipes, datasets, context)
    context.report()
    # Five levels up is the results folder: studies/<study>/<seed>/mixes/<analysis>.json
    write_sealed(out, {"cells": cells}, depth=5)


def _evaluate(
    recipes: Iterable[LabelledRecipe],
    datasets: list[tuple[str, Dataset]],
    context: FolderContext,
) -> list[dict[str, Any]]:
    """Cells of all mixes on all data sets, one mix after the other."""
    cells = []
    started = time.monotonic()
    # A mix may depend on scores of earlier ones, so the generator is asked step by step.
    for done, (labels, recipe) in enumerate(recipes, 1):
        for role, dataset in datasets:
            key, predictions = context.evaluator.predictions(recipe, dataset)
            cells.append(
                {
                    **labels,
                    "dataset": dataset.name,
                    "role": role,
                    **score_predictions(dataset, predictions),
                    "key": key,
                }
            )
        seconds_each = (time.monotonic() - started) / done
        log.info("%s  %d done, %.1f s each", labels["model"], done, seconds_each)
    return cells


def _usable_models(classifiers: list[Path]) -> dict[str, str]:
    """Name -> SHA-256 of all that did not diverge; the first is called "zero-shot"."""
    models: dict[str, str] = {}
    for folder in classifiers:
        card = read_card(folder)
        if card.status == "ok":
            name = card.name if models else "zero-shot"
            models[name] = card.sha256
    return models


def _datasets_of_roles(
    roles: list[str],
    sets: dict[str, list[Dataset]],
    train_images: int | None,
) -> list[tuple[str, Dataset]]:
    """(role, data set) in the order of the roles; the training set is cut to ``train_images``."""
    pairs = []
    for role in roles:
        key = role.replace("-", "_")  # the name of the rule's input
        for dataset in sets[key]:
            if key == "train" and train_images:
                dataset = subset(dataset, train_images)
            pairs.append((key, dataset))
    return pairs


def subset(dataset: Dataset, count: int) -> Dataset:
    """Take some images of a data set, evenly spread over it.

    Args:
        dataset: Of any size.
        count: Number of images.

    Returns:
        A data set of its own fingerprint; the same data set if it has no more images.
    """
    if len(dataset) <= count:
        return dataset
    # Data sets may be sorted by class; even steps give every class its fraction.
    rows = np.linspace(0, len(dataset) - 1, count).round().astype(int)
    return Dataset(
        name=dataset.name,
        images=dataset.images[rows],
        labels=dataset.labels[rows],
        class_names=dataset.class_names,
        # These keys are part of the store's keys: another name would compute all anew.
        fingerprint=sha256({"part": count, "of": dataset.fingerprint}),
        scoring=dataset.scoring.select_rows(rows),
    )
