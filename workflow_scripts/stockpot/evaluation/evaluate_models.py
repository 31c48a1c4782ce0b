"""Evaluate models, or whole sweeps towards them, on every data set."""

import logging
import time
from pathlib import Path
from typing import Any

from ..datasets.dataset import Dataset, read_dataset
from ..merging.checks import check_lineage
from ..merging.recipe import interpolate, single
from ..models.card import UNKNOWN_LINEAGE, read_card
from ..models.classifier import Weights
from ..runtime.sealed import read_sealed, write_sealed
from .cells import LabelledRecipe, Recipe
from .evaluator import Evaluator
from .predictions import Predictions
from .scored import score_answers
from .store import Store

log = logging.getLogger(__name__)


def evaluate_models(
    spec: dict[str, Any],
    zero_shot: Path | None,
    models: dict[str, Path],
    classifiers: list[Path],
    datasets: list[Path],
    store: Store,
    out: Path,
) -> None:
    """Fill the store with cells of models or sweeps, and list the cells in a file.

    Each listed cell has model, kind, sweep, alpha, dataset, its metric and value, n, k (null where
    the metric counts nothing), classes, the store's key, and the precision of the forward pass.
    A diverged run has a status and no cells.

    Args:
        spec: ``members``, each with ``name``, ``kind`` and ``end``, a key of the models; ``alphas``
            of the sweeps, empty for the models themselves; and what ``Evaluator`` needs.
        zero_shot: Classifier folder of the model at alpha 0; None without sweeps.
        models: Key -> Classifier folder, or recipe file of a soup.
        classifiers: Folders of all ingredients.
        datasets: Dataset folders.
        store: Where predictions are looked up and kept.
        out: The JSON file of the list.
    """
    opened_datasets = [read_dataset(folder) for folder in datasets]
    cells = []
    statuses = {}
    for member in spec["members"]:
        name = member["name"]
        model = models[member["end"]]
        statuses[name] = "ok" if model.is_file() else read_card(model).status
        if statuses[name] != "ok":
            log.error("%s is not evaluated: this run %s", name, statuses[name])
            continue
        evaluator = _evaluator(spec, zero_shot, model, classifiers, store)
        recipes = labelled_recipes(member, spec["alphas"], zero_shot, model)
        cells += _evaluate(recipes, opened_datasets, evaluator)
        evaluator.report()
    write_sealed(out, {"status": statuses, "cells": cells})


def _evaluator(
    spec: dict[str, Any],
    zero_shot: Path | None,
    model: Path,
    classifiers: list[Path],
    store: Store,
) -> Evaluator:
    """An evaluator over the classifiers that one model or sweep needs."""
    if zero_shot:
        _check_lineage(zero_shot, model)
        return Evaluator(store, classifiers, spec)
    # A classifier by itself needs no other one; a soup needs its ingredients.
    needed = classifiers if model.is_file() else [model]
    return Evaluator(store, needed, spec)


def _check_lineage(zero_shot: Path, model: Path) -> None:
    """Compare the weights of a classifier whose card does not tell what it was trained from."""
    # A soup's recipe file needs no check: its ingredients were checked when it was made.
    if model.is_dir() and read_card(model).start == UNKNOWN_LINEAGE:
        check_lineage(Weights(zero_shot), Weights(model))


def read_recipe(path: Path) -> Recipe:
    """Read the recipe of a model.

    Args:
        path: Classifier folder, or recipe file of a soup.

    Returns:
        The rule and the ingredients.
    """
    if path.is_dir():
        return single(read_card(path).sha256)
    recipe = read_sealed(path)
    return {"rule": recipe["rule"], "ingredients": recipe["ingredients"]}


def labelled_recipes(
    member: dict[str, str],
    alphas: list[float],
    zero_shot: Path | None,
    model: Path,
) -> list[LabelledRecipe]:
    """Make the recipe of a model, or those of its sweep.

    Args:
        member: ``name`` and ``kind`` of the model.
        alphas: Of the sweep; empty for the model itself.
        zero_shot: Classifier folder of the model at alpha 0; None for the model itself.
        model: Classifier folder, or recipe file of a soup.

    Returns:
        Pairs of the columns that name a model in tables, and its recipe.
    """
    name = member["name"]
    recipe = read_recipe(model)
    labels: dict[str, str | float | None]
    if not alphas:
        labels = {
            "model": name,
            "kind": member["kind"],
            "sweep": "",
            "alpha": None,
        }
        return [(labels, recipe)]
    if zero_shot is None:
        raise ValueError(f"{name}: a sweep needs the model at alpha 0")
    zero_shot_recipe = read_recipe(zero_shot)
    pairs = []
    for alpha in alphas:
        # (1 - alpha) * zero-shot + alpha * model (WiSE-FT, equation 1).
        labels = {
            "model": f"{name} alpha={alpha}",
            "kind": "wise-ft",
            "sweep": name,
            "alpha": alpha,
        }
        pairs.append((labels, interpolate(zero_shot_recipe, recipe, alpha)))
    return pairs


def _evaluate(
    recipes: list[LabelledRecipe],
    datasets: list[Dataset],
    evaluator: Evaluator,
) -> list[dict[str, Any]]:
    """Cells of all recipes on all data sets, one recipe after the other."""
    cells = []
    started = time.monotonic()
    for done, (labels, recipe) in enumerate(recipes, 1):
        for dataset in datasets:
            key, predictions = evaluator.predictions(recipe, dataset)
            cells.append(
                {
                    **labels,
                    "dataset": dataset.name,
                    **score_predictions(dataset, predictions),
                    "classes": len(dataset.class_names),
                    "key": key,
                    "precision": evaluator.precision,
                }
            )
        # The first recipes also pay for loading; the estimate gets better on the way.
        seconds_per_recipe = (time.monotonic() - started) / done
        left = seconds_per_recipe * (len(recipes) - done)
        log.info(
            "%s  %d/%d  %.0f s left",
            labels["model"],
            done,
            len(recipes),
            left,
        )
    return cells


def score_predictions(dataset: Dataset, predictions: Predictions) -> dict[str, Any]:
    """Score predictions by the data set's own metric.

    Args:
        dataset: With labels and scoring.
        predictions: Of all its images.

    Returns:
        ``metric``, ``value``, ``n`` and ``k``.
    """
    score = score_answers(
        dataset.scoring,
        dataset.labels,
        predictions.predicted.numpy(),
        predictions.correct.numpy(),
    )
    return {"metric": dataset.scoring.metric, **score._asdict()}
