"""Which data set plays which part, and may it?"""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from .config import scratch_runs
from .datasets import sources
from .datasets.classes import (
    ADVERSARIAL,
    MADE_OF,
    class_names,
    count,
    head_classes,
    images_of,
    origin,
    resolved,
    share_images,
)
from .errors import StockpotError
from .search import finetune_specs

Locate = Callable[[str], Path]


def check_parts(config: dict, locate: Locate) -> None:
    """Raises StockpotError if data sets of two parts hold the same images, or classes lack.

    Training sets may share images with each other, and so may held-out sets of several tasks;
    else what is selected on, or tested on, shares them with nothing.
    """
    training, other = parts(config)
    datasets = config["datasets"]
    images = {path: images_of(datasets, name, locate) for path, name in (training | other).items()}
    for a, b in combinations(images, 2):
        both = (a in training and b in training) or all(p.endswith(".held_out") for p in (a, b))
        # Made of the held-out set, and looked at for the same choices alone.
        made = [p.startswith("data.corrupted") for p in (a, b)]
        both = both or (
            any(made) and all(m or p.endswith(".held_out") for m, p in zip(made, (a, b)))
        )
        # Two views of the same test images, as under other labels, are not one set named twice.
        tests = all(path.startswith(("data.reference", "data.shifts")) for path in (a, b))
        views = tests and _views(datasets[other[a]], datasets[other[b]])
        if share_images(images[a], images[b]) and not both and not views:
            raise StockpotError(
                f"{b}: {(training | other)[b]!r} holds the same images as "
                f"{(training | other)[a]!r}, which is {a}; {_mend(images[a], images[b])}"
            )
    for path, name in other.items():
        stored = origin(datasets, name)
        if datasets[stored].get("side"):
            raise StockpotError(
                f"datasets.{stored}.side: {name!r} is {path}, and models see it in their own "
                "size; training sets alone may be stored larger"
            )
    for path, name, train in _heads(config):
        known = class_names(datasets, train, locate)
        for label in head_classes(datasets, name, locate):
            if label not in known:
                raise StockpotError(
                    f"datasets.{name}: its class '{label}' is not among the {len(known)} "
                    f"classes of the training set {train} ({path}): {', '.join(known)}"
                )


def _mend(one: sources.Identity, other: sources.Identity) -> str:
    """What two sets that share images lack."""
    if one.part and other.part and one.split != other.split:
        return "parts of one split need the same held_out, test and seed"
    return "training, held-out and test sets must differ"


def _views(one: dict, other: dict) -> bool:
    """Are these one source's images, seen in two ways?"""
    return one["source"] == other["source"] not in MADE_OF and one != other


def _heads(config: dict) -> list[tuple[str, str, str]]:
    """(key path of a training set, a data set whose classes must be among its, the training set)"""
    data, tasks = config["data"], config["tasks"]
    own = [data["held_out"], data["reference"], *data["corrupted"], *data["shifts"]]
    training = {"data.train": data["train"], **_scratch_parts(config)}
    found = [(path, name, train) for path, train in training.items() for name in own]
    found += [(f"tasks.{t}.train", task["held_out"], task["train"]) for t, task in tasks.items()]
    for _, task, second in _joint(config).values():
        path, train = ("data.train", data["train"])
        if task:
            path, train = f"tasks.{task}.train", tasks[task]["train"]
        found.append((path, second, train))
    return found


def check_counts(config: dict, locate: Locate) -> None:
    """Raises StockpotError where a data set has no images, or fewer than are wanted of it."""
    datasets, (training, other) = config["datasets"], parts(config)
    wanted = [
        (f"{path}.images", spec.get("images", 0), spec["train"])
        for path, spec in scratch_runs(config).items()
    ]
    wanted += [
        (f"datasets.{name}.images", datasets[name]["images"], datasets[name]["pool"])
        for name in other.values()
        if datasets[name]["source"] == ADVERSARIAL
    ]
    for path, name in (training | other).items():
        if count(datasets, name, locate) == 0:
            raise StockpotError(f"{path}: {name} has no images")
    for name in training.values():
        if datasets[name].get("split") and 0 in sources.counts(datasets[name], locate):
            raise StockpotError(
                f"datasets.{name}.split: leaves no image of some class to train on; smaller "
                "held_out and test, or more images"
            )
    for path, images, name in wanted:
        found = count(datasets, name, locate)
        if images > found:
            raise StockpotError(f"{path}: {images} wanted, but {name} has {found}")


def parts(config: dict) -> tuple[dict[str, str], dict[str, str]]:
    """Key path -> data set, of all that is trained on, and of all else that is looked at."""
    data, tasks = config["data"], config["tasks"]
    training = {"data.train": data["train"], **_scratch_parts(config)}
    training |= {f"tasks.{name}.train": task["train"] for name, task in tasks.items()}
    training |= {path: second for path, _, second in _joint(config).values()}
    other = {"data.held_out": data["held_out"], "data.reference": data["reference"]}
    other |= {f"data.shifts.{i}": name for i, name in enumerate(data["shifts"])}
    other |= {f"data.corrupted.{i}": name for i, name in enumerate(data["corrupted"])}
    other |= {f"tasks.{name}.held_out": task["held_out"] for name, task in tasks.items()}
    return training, other


def used(config: dict) -> set[str]:
    """The data sets that play a part, and those that they are made of."""
    training, other = parts(config)
    names = {*training.values(), *other.values()}
    datasets = resolved(config)["datasets"]
    entries = [datasets[name] for name in names]
    return names | {
        entry[MADE_OF[entry["source"]]] for entry in entries if entry["source"] in MADE_OF
    }


def summary(config: dict, locate: Locate) -> list[str]:
    """A line per data set and part: what it is for, its name, how many images and classes, and
    for a test set of few how little an accuracy on it says (95 %, at worst)."""
    training, other = parts(config)
    datasets, lines = config["datasets"], []
    for path, name in (training | other).items():
        images, classes = count(datasets, name, locate), class_names(datasets, name, locate)
        line = f"{path}: {name}, {images:,} images of {len(classes):,} classes"
        few = path in other and 0 < images < 400
        lines.append(line + (f"; accuracies to ± {98 / images**0.5:.0f} points" if few else ""))
    return lines


def _scratch_parts(config: dict) -> dict[str, str]:
    """Key path -> training set of the models trained from random weights."""
    return {
        "adversary.train" if path == "adversary" else "standard.train": spec["train"]
        for path, spec in scratch_runs(config).items()
    }


def _joint(config: dict) -> dict[str, tuple[str, str, str]]:
    """Run -> (key path, its task, the second data set) of runs that train on two."""
    return {
        name: (f"finetune.runs.{name}.joint", spec.get("task", ""), spec["joint"])
        for name, spec in finetune_specs(config).items()
        if spec.get("joint")
    }
