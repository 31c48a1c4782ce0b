"""Which data set plays which part, and may it?"""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from ..config.check import scratch_runs
from ..config.training_runs import finetune_specs
from ..datasets import sources
from ..datasets.classes import (
    ADVERSARIAL,
    MADE_OF,
    answers_among_all,
    class_names,
    classes_with_images,
    count,
    head_classes,
    images_of,
    origin,
    resolved,
    share_images,
)
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.suggest import closest

Locate = Callable[[str], Path]


def check_parts(config: dict, locate: Locate) -> None:
    """Raises StockpotError if data sets of two parts hold the same images, or classes lack.

    Training sets may share images with each other, and so may held-out sets of several tasks;
    else what is selected on, or tested on, shares them with nothing.
    """
    training, other = parts(config)
    datasets = config["datasets"]
    images = {
        path: images_of(datasets, name, locate)
        for path, name in (training | other).items()
    }
    for a, b in combinations(images, 2):
        both_train = a in training and b in training
        # Two views of the same test images, as under other labels, are not one set named twice.
        both_test = _is_test(a) and _is_test(b)
        are_views = both_test and _views(datasets[other[a]], datasets[other[b]])
        may_share = (
            both_train or (_is_for_choices(a) and _is_for_choices(b)) or are_views
        )
        if share_images(images[a], images[b]) and not may_share:
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
        _check_known(path, name, train, datasets, locate)
    for path, name in (training | other).items():
        _check_several(path, name, datasets, locate)


def _is_test(path: str) -> bool:
    return path.startswith(("data.reference", "data.shifts"))


def _is_for_choices(path: str) -> bool:
    """Is the set held out, or a corrupted copy of one that is, which serves the same choices?"""
    return path.endswith(".held_out") or path.startswith("data.corrupted")


def _check_several(path: str, name: str, datasets: dict, locate: Locate) -> None:
    """Raises StockpotError for a set of one class: whatever a model answers there says nothing."""
    there = classes_with_images(datasets, name, locate)
    if len(there) == 1:
        raise StockpotError(
            f"{path}: all images of {name} are of one class, '{one_line(there[0], 100)}'; models "
            "are compared where there are two or more"
        )


def _check_known(
    path: str, name: str, train: str, datasets: dict, locate: Locate
) -> None:
    """Raises StockpotError naming the classes of a set that its models are not trained on."""
    known = class_names(datasets, train, locate)
    there = set(known)
    asked = dict.fromkeys(head_classes(datasets, name, locate))
    wrong = [label for label in asked if label not in there]
    if not wrong:
        return
    named, hinted = [], False
    for label in wrong[:3]:
        close = closest(label, known, 1)
        hint = f" (did you mean '{one_line(close[0], 40)}'?)" if close else ""
        hinted = hinted or bool(close)
        named.append(f"'{one_line(label, 40)}'{hint}")
    named += [f"'{one_line(label, 20)}'" for label in wrong[3:6]]
    more = f" and {len(wrong) - 6} others" if wrong[6:] else ""
    subject = "class" if len(wrong) == 1 else f"{len(wrong)} classes"
    is_not = "is" if len(wrong) == 1 else "are"
    raise StockpotError(
        f"datasets.{name}: its {subject} {', '.join(named)}{more} {is_not} not among the "
        f"{len(known)} classes of the training set {train} ({path})"
        f"{'' if hinted else ': ' + _several(known)}"
    )


def answer_classes(config: dict, locate: Locate) -> dict[str, list[str]]:
    """Data set -> the classes that answers are taken among, where these are the study's.

    Those that every model has that is evaluated on the set, in the order of the first training set.
    For sets that nothing is trained on; the others keep their own.
    """
    datasets, (training, _) = config["datasets"], parts(config)
    found: dict[str, list[str]] = {}
    for _, name, train in _heads(config):
        name = origin(datasets, name)
        if name in training.values() or not answers_among_all(datasets, name):
            continue
        known = class_names(datasets, train, locate)
        if name in found and found[name] != known:
            kept = set(known)
            known = [label for label in found[name] if label in kept]
        found[name] = known
    return found


def held_out_note(config: dict) -> str:
    """What a reader must know where checkpoints were trained on the held-out images; "" if not."""
    name = config["data"]["held_out"]
    split = config["datasets"][name].get("split") or {}
    if not config["data"].get("held_out_seen") or split.get("list"):
        return ""
    return (
        f"The models of checkpoints were trained on the held-out images ({name}). All that is "
        "chosen or fitted there favours models that memorise, and temperatures come out too small: "
        "greedy and learned soups, greedy ensembles, rows called chosen, choosing alpha, "
        f"diagnosis, growing, calibration. datasets.{name}.split.list takes a list of images that "
        "they were not trained on."
    )


def class_notes(config: dict, locate: Locate) -> dict[str, str]:
    """Test set -> "7 of 11 classes, answers among all" (or "among those"), where it lacks some."""
    datasets, data, notes = config["datasets"], config["data"], {}
    study = len(class_names(datasets, data["train"], locate))
    for name in (
        data["held_out"],
        data["reference"],
        *data["corrupted"],
        *data["shifts"],
    ):
        there = len(classes_with_images(datasets, name, locate))
        if there == study:
            continue
        among = "all" if answers_among_all(datasets, name) else "those"
        notes[name] = f"{there:,} of {study:,} classes, answers among {among}"
        if len(set(head_classes(datasets, name, locate))) != there:
            # Each class stands for several of the model's.
            notes[name] = f"{there:,} classes, answers among those"
    return notes


def _mend(one: sources.Identity, other: sources.Identity) -> str:
    """What two sets that share images lack."""
    if one.part and other.part and one.split != other.split:
        return "parts of one split need the same held_out, test, seed and list"
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
    found += [
        (f"tasks.{t}.train", task["held_out"], task["train"])
        for t, task in tasks.items()
    ]
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
    for name in dict.fromkeys(training.values()):
        split = datasets[name].get("split")
        if split and not split.get(
            "list"
        ):  # of which classes a list is, only its images tell
            _check_split(name, datasets[name], locate)
    for path, images, name in wanted:
        found = count(datasets, name, locate)
        if images > found:
            raise StockpotError(f"{path}: {images} wanted, but {name} has {found}")


def _check_split(name: str, entry: dict, locate: Locate) -> None:
    """Raises StockpotError naming the classes that a split leaves without training images."""
    entry = sources.with_defaults(entry)
    whole = sources.counts({**entry, "split": None}, locate)
    left = sources.counts(entry, locate)
    if 0 not in left:
        return
    names = sources.ask("classes", entry, locate)
    if len(names) != len(left):  # of a published set the numbers alone are known
        raise StockpotError(
            f"datasets.{name}.split: leaves no image of some class to train on; smaller held_out "
            "and test"
        )
    none = [label for label, n in zip(names, whole) if n == 0]
    if none:
        option = "class_list" if entry.get("class_list") else "classes"
        listed = entry.get(option)
        of = (
            f" of {one_line(listed, 100)}" if listed not in (None, "all", "own") else ""
        )
        raise StockpotError(
            f"datasets.{name}.{option}: {_several(none)}{of} "
            f"{'has' if len(none) == 1 else 'have'} no images; take such classes off the list"
        )
    few = [(label, n) for label, n, rest in zip(names, whole, left) if rest == 0]
    counted = _several(
        [f"{label} ({n} image{'s' if n > 1 else ''})" for label, n in few]
    )
    split = entry["split"]
    raise StockpotError(
        f"datasets.{name}.split: leaves nothing to train on of {counted}; held_out: "
        f"{split['held_out']:g} and test: {split['test']:g} take all of them. Add images, or take "
        "smaller numbers"
    )


def _several(names: list[str], most: int = 5) -> str:
    """Some names, and how many others there are."""
    shown = ", ".join(one_line(name, 40) for name in names[:most])
    return f"{shown} and {len(names) - most} others" if names[most:] else shown


def parts(config: dict) -> tuple[dict[str, str], dict[str, str]]:
    """Key path -> data set, of all that is trained on, and of all else that is looked at."""
    data, tasks = config["data"], config["tasks"]
    training = {"data.train": data["train"], **_scratch_parts(config)}
    training |= {f"tasks.{name}.train": task["train"] for name, task in tasks.items()}
    training |= {path: second for path, _, second in _joint(config).values()}
    other = {"data.held_out": data["held_out"], "data.reference": data["reference"]}
    other |= {f"data.shifts.{i}": name for i, name in enumerate(data["shifts"])}
    other |= {f"data.corrupted.{i}": name for i, name in enumerate(data["corrupted"])}
    other |= {
        f"tasks.{name}.held_out": task["held_out"] for name, task in tasks.items()
    }
    return training, other


def used(config: dict) -> set[str]:
    """The data sets that play a part, and those that they are made of."""
    training, other = parts(config)
    names = {*training.values(), *other.values()}
    datasets = resolved(config)["datasets"]
    entries = [datasets[name] for name in names]
    return names | {
        entry[MADE_OF[entry["source"]]]
        for entry in entries
        if entry["source"] in MADE_OF
    }


def summary(config: dict, locate: Locate) -> list[str]:
    """A line per data set and part: what it is for, its name, how many images and classes, and
    for a test set of few how little an accuracy on it says (95 %, at worst). Then a line per set
    whose files are not all read."""
    training, other = parts(config)
    datasets, lines = config["datasets"], []
    notes = class_notes(config, locate)
    for path, name in (training | other).items():
        images, classes = (
            count(datasets, name, locate),
            class_names(datasets, name, locate),
        )
        of = notes.get(name) if path in other else None
        line = (
            f"{path}: {name}, {images:,} images of {of or f'{len(classes):,} classes'}"
        )
        if path in training:
            empty = len(classes) - len(classes_with_images(datasets, name, locate))
            line += f"; {empty:,} of them without images" if empty else ""
        few = path in other and 0 < images < 400
        lines.append(
            line + (f"; accuracies to ± {98 / images**0.5:.0f} points" if few else "")
        )
    return lines + _of_files(datasets, (training | other).values(), locate)


def _of_files(datasets: dict, names, locate: Locate) -> list[str]:
    """What is not read of the files of these sets, and what seems odd in them, a line per folder or
    file."""
    told = {}
    for name in dict.fromkeys(origin(datasets, name) for name in names):
        entry = datasets[name]
        unused = sources.unused(entry, locate)
        if unused:
            line = f"not read of {one_line(entry['path'], 100)}: {unused}"
            told.setdefault(line, []).append(name)
        doubt = sources.doubt(entry, locate)
        if doubt:
            told.setdefault(f"{one_line(entry['path'], 100)}: {doubt}", []).append(name)
    return [f"datasets.{', '.join(same)}: {line}" for line, same in told.items()]


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
