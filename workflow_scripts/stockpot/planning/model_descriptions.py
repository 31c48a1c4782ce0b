"""What analyses and pages may know of the models of a study, as plain data."""

import json
import math

from ..config.training_runs import run_specs, standard_specs, with_options
from ..merging import methods
from ..runtime.digest import plain
from ..runtime.registry import defaults

# Settings of a run that decide what it is, what it started from and which tables it is in.
MEANINGFUL = frozenset(
    ["variant", "task", "start", "joint", "shots", "name", "seed", "kind", "id"]
    + ["method", "ingredients", "backbones", "train", "images"]
)


def described(
    config: dict,
    ids: dict[str, str],
    soups: dict[str, str],
    sizes: dict[str, int],
    classes: int,
) -> dict[str, dict]:
    """Name of every model -> kind, id, settings, ingredients, images, own.

    images: that training looked at, with repetition. own: trained on the study's training set?
    ids: of the runs that are evaluated; soups: of the soups; sizes: data set -> images; classes:
    how many the training set has.
    """
    found = {"zero-shot": {"kind": "zero-shot", "settings": {}, "images": 0}}
    specs = run_specs(config)
    for name, spec in specs.items():
        if name in config["checkpoints"]:
            found[name] = _checkpoint(spec, config["checkpoints"][name])
            found[name] |= {"id": ids[name]} if name in ids else {}
            continue
        data = config["tasks"].get(spec.get("task")) or config["data"]
        found[name] = {
            "kind": spec["variant"],
            "settings": spec,
            "images": spec.get("epochs", 0)
            * _images(spec, data["train"], sizes, classes),
            "own": data["train"] == config["data"]["train"],
            **({"id": ids[name]} if name in ids else {}),
        }
    for name, spec in standard_specs(config).items():
        spec = with_options(spec)
        images = spec["epochs"] * spec["images"]
        found[name] = {"kind": "from-scratch", "settings": spec, "images": images}
    end_to_end = [name for name in ids if specs[name]["variant"] == "end-to-end"]
    held_out_images = sizes[config["data"]["held_out"]]
    for name, soup in config["soups"].items():
        found[name] = {"id": soups[name], **_soup(soup, end_to_end, held_out_images)}
    return plain(found)


def _soup(soup: dict, end_to_end: list[str], held_out_images: int) -> dict:
    """Kind, settings, ingredients and images of a soup; end_to_end: its ingredients by default."""
    settings = defaults(methods.options(soup["method"])) | soup
    return {
        "kind": soup["method"],
        "settings": {k: v for k, v in settings.items() if k != "ingredients"},
        "ingredients": soup.get("ingredients", end_to_end),
        "images": settings.get("epochs", 0) * held_out_images,
    }


def _checkpoint(spec: dict, entry: dict) -> dict:
    """A model that was trained elsewhere: what its training looked at is not known here."""
    return {
        "kind": spec["variant"],
        "settings": stated(entry.get("settings", {})),
        "images": 0,
        "own": True,
    }


def stated(settings: dict) -> dict[str, object]:
    """What the config says of a checkpoint's training, for tables and analyses alone.

    A copied list of hyperparameters has words that mean something here, as ``task`` and ``joint``.
    They get another name, so that they change neither what the model is nor where it is shown.

    Args:
        settings: As in the config; values are of any kind that YAML has.

    Returns:
        Name -> number, text or bool.
    """
    found = {}
    for key, value in settings.items():
        name = f"stated_{key}" if key in MEANINGFUL else str(key)
        is_number = isinstance(value, (bool, int, float)) and math.isfinite(value)
        if not (is_number or isinstance(value, str)):
            value = json.dumps(value, ensure_ascii=False, default=str)
        found[name] = value
    return found


def _images(spec: dict, train: str, sizes: dict[str, int], classes: int) -> int:
    """Of one epoch of a run."""
    whole = sizes[train]
    if spec.get("shots"):
        whole = min(whole, spec["shots"] * classes)
    return whole + (sizes[spec["joint"]] if spec.get("joint") else 0)
