"""Evaluate one family: models, or whole sweeps towards them, on every data set."""

import logging
import time
from pathlib import Path

from ..datasets.dataset import Dataset, read_dataset
from ..merging.checks import check_line
from ..merging.recipe import interpolate, single
from ..models.card import UNKNOWN_START, read_card
from ..models.classifier import Weights
from ..runtime.sealed import read_sealed, write_sealed
from .evaluator import Evaluator
from .predictions import Predictions
from .scored import scored as scores
from .store import Store

log = logging.getLogger(__name__)


def evaluate_family(
    spec: dict,
    start: Path | None,
    ends: dict[str, Path],
    classifiers: list[Path],
    datasets: list[Path],
    store: Store,
    out: Path,
) -> None:
    """Fill the store with the family's cells and list them in ``out`` (JSON).

    A cell: model, kind, curve, alpha, dataset, its metric and value, n, k (null where the metric
    counts nothing), classes, the store's key, and the precision of the forward pass.

    spec: members, each with name, kind and end; alphas, empty for the models themselves;
    precision, batch_size, store_logits. start: Classifier folder that the sweeps start from, where
    there are any. ends: Classifier folder or recipe file of every member's end.
    classifiers: folders of all ingredients. A diverged run is listed with its status, without
    cells.
    """
    sets = [read_dataset(folder) for folder in datasets]
    rows, statuses = [], {}
    for member in spec["members"]:
        end = ends[member["end"]]
        statuses[member["name"]] = status = (
            "ok" if end.is_file() else read_card(end).status
        )
        if status != "ok":
            log.error("%s is not evaluated: this run %s", member["name"], status)
            continue
        if start and end.is_dir() and read_card(end).start == UNKNOWN_START:
            check_line(Weights(start), Weights(end))
        evaluator = Evaluator(
            store, classifiers if start or end.is_file() else [end], spec
        )
        rows += _cells(points(member, spec["alphas"], start, end), sets, evaluator)
        evaluator.report()
    write_sealed(out, {"status": statuses, "cells": rows})


def read_recipe(path: Path) -> dict:
    """The recipe of a Classifier folder or of a soup's recipe file."""
    if path.is_dir():
        return single(read_card(path).sha256)
    recipe = read_sealed(path)
    return {"rule": recipe["rule"], "ingredients": recipe["ingredients"]}


def points(
    member: dict, alphas: list[float], start: Path | None, end: Path
) -> list[tuple[dict, dict]]:
    """(the table's labels, recipe) of the model itself, or of every alpha of its sweep."""
    name, model = member["name"], read_recipe(end)
    if not alphas:
        return [
            ({"model": name, "kind": member["kind"], "curve": "", "alpha": None}, model)
        ]
    zero = read_recipe(start)
    return [
        (
            {
                "model": f"{name} alpha={a}",
                "kind": "wise-ft",
                "curve": name,
                "alpha": a,
            },
            interpolate(zero, model, a),
        )
        for a in alphas
    ]


def _cells(
    family: list[tuple[dict, dict]], sets: list[Dataset], evaluator: Evaluator
) -> list[dict]:
    rows, started = [], time.monotonic()
    for done, (labels, recipe) in enumerate(family, 1):
        for dataset in sets:
            key, found = evaluator.predictions(recipe, dataset)
            counts = {**scored(dataset, found), "classes": len(dataset.class_names)}
            made = {"key": key, "precision": evaluator.precision}
            rows.append({**labels, "dataset": dataset.name, **counts, **made})
        left = (time.monotonic() - started) / done * (len(family) - done)
        log.info("%s  %d/%d  %.0f s left", labels["model"], done, len(family), left)
    return rows


def scored(dataset: Dataset, found: Predictions) -> dict:
    """metric, value, n, k of what a model answered, by the data set's own metric."""
    counts = scores(
        dataset.scoring, dataset.labels, found.predicted.numpy(), found.correct.numpy()
    )
    return {"metric": dataset.scoring.metric, **counts._asdict()}
