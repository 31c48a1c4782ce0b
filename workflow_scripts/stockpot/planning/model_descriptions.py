"""What analyses and pages may know of the models of a study, as plain data."""

import json
import math
from typing import Any

from ..config.training_runs import baseline_specs, run_specs, with_options
from ..merging import methods
from ..runtime.digest import plain
from ..runtime.registry import defaults
from .jobs import Config, Spec

# What analyses and pages know of one model: its kind, id, settings and ingredients; "images", how
# many the training looked at, with repetition, or None where that is unknown; "on_own_task", was it
# trained for the study's own task? A checkpoint is, by the definition of the config.
Description = dict[str, Any]

# Settings of a run that decide what it is, what it started from and which tables it is in.
MEANINGFUL = frozenset(
    [
        "variant",
        "task",
        "init_from",
        "second_dataset",
        "shots",
        "name",
        "seed",
        "kind",
        "id",
        "method",
        "ingredients",
        "towers_only",
        "train",
        "images",
    ]
)

# No run of the study trained it.
ZERO_SHOT: Description = {
    "kind": "zero-shot",
    "settings": {},
    "images": 0,
}


def describe_models(
    config: Config,
    ids: dict[str, str],
    soups: dict[str, str],
    sizes: dict[str, int],
    classes: int,
) -> dict[str, Description]:
    """Describe all models of a study.

    Args:
        config: A checked config.
        ids: Run that is evaluated -> its id.
        soups: Soup -> its id.
        sizes: Data set -> number of its images.
        classes: How many classes the training set has.

    Returns:
        Name of a model -> its description.
    """
    specs = run_specs(config)
    models = {"zero-shot": dict(ZERO_SHOT)}
    for name, spec in specs.items():
        if name in config["checkpoints"]:
            models[name] = _describe_checkpoint(spec, config["checkpoints"][name])
        else:
            models[name] = _describe_run(spec, config, sizes, classes)
        # Runs of other tasks are described, but not evaluated.
        if name in ids:
            models[name]["id"] = ids[name]
    for name, spec in baseline_specs(config).items():
        models[name] = _describe_baseline(with_options(spec))
    end_to_end = [name for name in ids if specs[name]["variant"] == "end-to-end"]
    held_out_images = sizes[config["data"]["held_out"]]
    for name, soup in config["soups"].items():
        models[name] = _describe_soup(soup, end_to_end, held_out_images)
        models[name]["id"] = soups[name]
    return plain(models)


def _describe_run(
    spec: Spec,
    config: Config,
    sizes: dict[str, int],
    classes: int,
) -> Description:
    """A fine-tuning run."""
    own_train = config["data"]["train"]
    # A run of the study's own task has none, or "".
    task = config["tasks"].get(spec.get("task"))
    train = task["train"] if task else own_train
    images_per_epoch = _images_per_epoch(spec, train, sizes, classes)
    return {
        "kind": spec["variant"],
        "settings": spec,
        "images": spec.get("epochs", 0) * images_per_epoch,
        "on_own_task": train == own_train,
    }


def _images_per_epoch(
    spec: Spec,
    train: str,
    sizes: dict[str, int],
    classes: int,
) -> int:
    """How many images a run looks at in one epoch.

    A second data set makes an epoch no longer: some of its images take the place of others.
    """
    image_count = sizes[train]
    if spec.get("shots"):
        image_count = min(image_count, spec["shots"] * classes)
    return image_count


def _describe_checkpoint(
    spec: Spec,
    entry: dict[str, Any],
) -> Description:
    """A model that was trained elsewhere: what its training looked at is not known here."""
    return {
        "kind": spec["variant"],
        "settings": stated_hyperparameters(entry.get("hyperparameters", {})),
        "images": None,
        "on_own_task": True,
    }


def _describe_baseline(spec: Spec) -> Description:
    """A model that is trained from random weights."""
    return {
        "kind": "from-scratch",
        "settings": spec,
        "images": spec["epochs"] * spec["images"],
    }


def _describe_soup(
    soup: dict[str, Any],
    end_to_end: list[str],
    held_out_images: int,
) -> Description:
    """A merge; ``end_to_end`` are its ingredients by default."""
    settings = defaults(methods.options(soup["method"])) | soup
    ingredients = settings.pop("ingredients", end_to_end)
    return {
        "kind": soup["method"],
        "settings": settings,
        "ingredients": ingredients,
        # Methods that are trained, as learned soups, are trained on the held-out set.
        "images": settings.get("epochs", 0) * held_out_images,
    }


def stated_hyperparameters(hyperparameters: dict[Any, Any]) -> dict[str, object]:
    """Prepare what the config says of a checkpoint's training, for tables and analyses only.

    A copied list of hyperparameters has words that mean something here, as ``task`` and
    ``init_from``. They get another name, so that they change neither what the model is nor where
    it is shown.

    Args:
        hyperparameters: As in the config; values are of any kind that YAML has.

    Returns:
        Name -> number, text or bool.
    """
    values: dict[str, object] = {}
    for key, value in hyperparameters.items():
        name = f"stated_{key}" if key in MEANINGFUL else str(key)
        if not _is_simple(value):
            # A list or a date becomes one cell of a table.
            value = json.dumps(value, ensure_ascii=False, default=str)
        values[name] = value
    return values


def _is_simple(value: object) -> bool:
    """Is it a text, a bool or a finite number, as the cells of a table are?"""
    if isinstance(value, (bool, int, float)):
        return math.isfinite(value)
    return isinstance(value, str)
