"""Which data set has which role, and may it have it?

A role is known by the place in the config that gives it, its key path: ``data.train``,
``data.shifts.0``, ``tasks.cars.held_out``. Errors name that path.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

from ..config.check import scratch_runs
from ..config.training_runs import finetune_specs
from ..datasets import sources
from ..datasets.classes import (
    ADVERSARIAL,
    DERIVED_FROM,
    answers_among_all,
    base_dataset,
    class_names,
    classes_with_images,
    count_images,
    head_classes,
    images_of,
    share_images,
    with_default_sources,
)
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.suggest import closest
from .jobs import Config, Locate

Datasets = dict[str, dict[str, Any]]  # name -> entry of the config

# An accuracy is told with its uncertainty if it is of fewer images than this.
FEW_IMAGES = 400
# Half a 95 % interval of an accuracy of 50 %, the widest there is, is this number of points
# divided by the root of the number of images: 100 * 1.96 * sqrt(0.5 * (1 - 0.5)).
WIDEST_HALF_INTERVAL = 98
# How many unknown classes an error names with a suggestion, and how many it names at all.
MOST_SUGGESTIONS = 3
MOST_UNKNOWN_NAMED = 6
MOST_LISTED = 5


class _ClassDemand(NamedTuple):
    """A data set whose classes must be among those of a training set.

    Attributes:
        key_path: Key path of the training set.
        dataset: The data set.
        train: The training set.
    """

    key_path: str
    dataset: str
    train: str


class _SecondSet(NamedTuple):
    """The second data set of a run that trains on two.

    Attributes:
        key_path: Key path that names it.
        task: Task of the run, "" for the study's own.
        dataset: The data set.
    """

    key_path: str
    task: str
    dataset: str


def datasets_by_role(config: Config) -> tuple[dict[str, str], dict[str, str]]:
    """List the data sets of all roles.

    Args:
        config: A config that was checked.

    Returns:
        Key path -> data set, of all that is trained on; the same of all else that is looked at.
    """
    data = config["data"]
    tasks = config["tasks"]
    training = {"data.train": data["train"]}
    # Summary lines, and the first of several errors, come in the order of these entries.
    training |= _scratch_training_sets(config)
    for task_name, task in tasks.items():
        training[f"tasks.{task_name}.train"] = task["train"]
    for second in _second_sets(config):
        training[second.key_path] = second.dataset

    evaluated = {
        "data.held_out": data["held_out"],
        "data.reference": data["reference"],
    }
    for i, dataset in enumerate(data["shifts"]):
        evaluated[f"data.shifts.{i}"] = dataset
    for i, dataset in enumerate(data["corrupted"]):
        evaluated[f"data.corrupted.{i}"] = dataset
    for task_name, task in tasks.items():
        evaluated[f"tasks.{task_name}.held_out"] = task["held_out"]
    return training, evaluated


def used_datasets(config: Config) -> set[str]:
    """List the data sets that have a role, and those that they are made of.

    Args:
        config: A config that was checked.

    Returns:
        Names of the data sets.
    """
    training, evaluated = datasets_by_role(config)
    names = {*training.values(), *evaluated.values()}
    datasets = with_default_sources(config)["datasets"]
    made_of: set[str] = set()
    for dataset in names:
        entry = datasets[dataset]
        if entry["source"] in DERIVED_FROM:
            made_of.add(entry[DERIVED_FROM[entry["source"]]])
    return names | made_of


def check_roles(
    config: Config,
    locate: Locate,
) -> None:
    """Check that data sets of different roles share no images, and that their classes fit.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Raises:
        StockpotError: Two data sets hold the same images, a test set is stored larger than models
            see it, or classes are missing.
    """
    datasets = config["datasets"]
    training, evaluated = datasets_by_role(config)
    _check_shared_images(training, evaluated, datasets, locate)
    for key_path, dataset in evaluated.items():
        _check_stored_size(key_path, dataset, datasets)
    for demand in _class_demands(config):
        _check_known_classes(demand, datasets, locate)
    for key_path, dataset in (training | evaluated).items():
        _check_has_classes(key_path, dataset, datasets, locate)


def _check_shared_images(
    training: dict[str, str],
    evaluated: dict[str, str],
    datasets: Datasets,
    locate: Locate,
) -> None:
    """Raises StockpotError if two roles, whose choices must not meet, have the same images."""
    names = training | evaluated
    # What stands for the images: files and the split of them, not their pixels.
    images = {}
    for key_path, dataset in names.items():
        images[key_path] = images_of(datasets, dataset, locate)
    # Errors name the later role of each pair.
    for one, other in combinations(images, 2):
        if not share_images(images[one], images[other]):
            continue
        both_train = one in training and other in training
        entries = (datasets[names[one]], datasets[names[other]])
        if both_train or _may_share_images(one, other, *entries):
            continue
        raise StockpotError(
            f"{other}: {names[other]!r} holds the same images as "
            f"{names[one]!r}, which is {one}; "
            f"{_advice_on_shared_images(images[one], images[other])}"
        )


def _may_share_images(
    one: str,
    other: str,
    one_entry: dict[str, Any],
    other_entry: dict[str, Any],
) -> bool:
    """May two roles, of which one at least is not training, have the same images?

    What is selected on, or tested on, shares images with nothing, with two exceptions:

    ==============================  ==============================  ==========================
    a role                          may share images with           when
    ==============================  ==============================  ==========================
    held-out, corrupted             held-out, corrupted             always
    reference, shift                reference, shift                as views of one source
    ==============================  ==============================  ==========================
    """
    if _is_for_choices(one) and _is_for_choices(other):
        return True
    if _is_test(one) and _is_test(other):
        return _are_views(one_entry, other_entry)
    return False


def _is_test(key_path: str) -> bool:
    return key_path.startswith(("data.reference", "data.shifts"))


def _is_for_choices(key_path: str) -> bool:
    """Is the set held out, or a corrupted copy of one that is, which serves the same choices?"""
    return key_path.endswith(".held_out") or key_path.startswith("data.corrupted")


def _are_views(
    one_entry: dict[str, Any],
    other_entry: dict[str, Any],
) -> bool:
    """Are these the images of one source, seen in two ways, as under other labels?

    Two entries that are equal are one set that was named twice, by mistake.
    """
    source = other_entry["source"]
    if one_entry["source"] != source or source in DERIVED_FROM:
        return False
    return one_entry != other_entry


def _advice_on_shared_images(
    one: sources.Identity,
    other: sources.Identity,
) -> str:
    """What to change about two sets that share images."""
    if one.part and other.part and one.split != other.split:
        return "parts of one split need the same held_out, test, seed and held_out_list"
    return "training, held-out and test sets must differ"


def _check_stored_size(
    key_path: str,
    dataset: str,
    datasets: Datasets,
) -> None:
    """Raises StockpotError for a set that is stored in another size than models see."""
    stored = base_dataset(datasets, dataset)
    if datasets[stored].get("image_size"):
        raise StockpotError(
            f"datasets.{stored}.image_size: {dataset!r} is {key_path}, and models see it in "
            "their own size; only training sets may be stored larger"
        )


def _check_has_classes(
    key_path: str,
    dataset: str,
    datasets: Datasets,
    locate: Locate,
) -> None:
    """Raises StockpotError for a set of one class: whatever a model answers there says nothing."""
    classes = classes_with_images(datasets, dataset, locate)
    if len(classes) == 1:
        raise StockpotError(
            f"{key_path}: all images of {dataset} are of one class, "
            f"'{one_line(classes[0], 100)}'; a comparison of models needs two or more"
        )


def _check_known_classes(
    demand: _ClassDemand,
    datasets: Datasets,
    locate: Locate,
) -> None:
    """Raises StockpotError naming the classes of a set that its models are not trained on."""
    known = class_names(datasets, demand.train, locate)
    trained_on = set(known)
    # A class may be asked for several times; it is named once, in the order of the set.
    expected = dict.fromkeys(head_classes(datasets, demand.dataset, locate))
    unknown = [label for label in expected if label not in trained_on]
    if not unknown:
        return
    # One class and several have other words.
    subject = "class"
    verb = "is"
    if len(unknown) > 1:
        subject = f"{len(unknown)} classes"
        verb = "are"
    # A list of a thousand classes may be a mistake as a whole, so a few are named.
    named, has_suggestion = _unknown_with_suggestions(unknown, known)
    # Without anything similar, some of the known names show what they look like.
    examples = "" if has_suggestion else f": {_first_of(known)}"
    raise StockpotError(
        f"datasets.{demand.dataset}: its {subject} {named} {verb} not among the "
        f"{len(known)} classes of the training set {demand.train} ({demand.key_path})"
        f"{examples}"
    )


def _unknown_with_suggestions(
    unknown: list[str],
    known: list[str],
) -> tuple[str, bool]:
    """List unknown classes, the first with what may be meant. Is anything suggested?"""
    named = []
    has_suggestion = False
    for label in unknown[:MOST_SUGGESTIONS]:
        text = f"'{one_line(label, 40)}'"
        similar = closest(label, known, 1)
        if similar:
            text += f" (did you mean '{one_line(similar[0], 40)}'?)"
            has_suggestion = True
        named.append(text)
    for label in unknown[MOST_SUGGESTIONS:MOST_UNKNOWN_NAMED]:
        named.append(f"'{one_line(label, 20)}'")
    text = ", ".join(named)
    left_out = len(unknown) - MOST_UNKNOWN_NAMED
    if left_out > 0:
        text += f" and {left_out} others"
    return text, has_suggestion


def check_counts(
    config: Config,
    locate: Locate,
) -> None:
    """Check that all data sets have images, as many as are wanted of them.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Raises:
        StockpotError: A data set has no images or too few, or a split leaves no training images of
            some class.
    """
    datasets = config["datasets"]
    training, evaluated = datasets_by_role(config)
    for key_path, dataset in (training | evaluated).items():
        if count_images(datasets, dataset, locate) == 0:
            raise StockpotError(f"{key_path}: {dataset} has no images")
    for dataset in dict.fromkeys(training.values()):
        split = datasets[dataset].get("split")
        # Of which classes the images of a list are, only the images tell.
        if split and not split.get("held_out_list"):
            _check_split(dataset, datasets[dataset], locate)
    for key_path, minimum, dataset in _wanted_counts(config, evaluated):
        available = count_images(datasets, dataset, locate)
        if minimum > available:
            raise StockpotError(
                f"{key_path}: {minimum} wanted, but {dataset} has {available}"
            )


def _wanted_counts(
    config: Config,
    evaluated: dict[str, str],
) -> list[tuple[str, int, str]]:
    """List (key path, images that it asks for, the data set that must have them)."""
    datasets = config["datasets"]
    demands = []
    for key_path, spec in scratch_runs(config).items():
        demand = (
            f"{key_path}.images",
            spec.get("images", 0),
            spec["train"],
        )
        demands.append(demand)
    for dataset in evaluated.values():
        entry = datasets[dataset]
        if entry["source"] == ADVERSARIAL:
            demand = (
                f"datasets.{dataset}.images",
                entry["images"],
                entry["pool"],
            )
            demands.append(demand)
    return demands


def _check_split(
    dataset: str,
    entry: dict[str, Any],
    locate: Locate,
) -> None:
    """Raises StockpotError naming the classes that a split leaves without training images."""
    # What the split leaves is compared with the whole, class by class.
    entry = sources.with_defaults(entry)
    counts_before = sources.counts({**entry, "split": None}, locate)
    counts_left = sources.counts(entry, locate)
    if 0 not in counts_left:
        return
    classes = sources.ask_source("classes", entry, locate)
    if len(classes) != len(counts_left):
        # The numbers of images of a published set are known, but not whose they are.
        raise StockpotError(
            f"datasets.{dataset}.split: leaves no image of some class to train on; "
            "smaller held_out and test"
        )
    never_filled = []
    emptied = []
    for label, before, left in zip(classes, counts_before, counts_left):
        if before == 0:
            never_filled.append(label)
        if left == 0:
            noun = "images" if before > 1 else "image"
            emptied.append(f"{label} ({before} {noun})")
    if never_filled:
        raise StockpotError(_empty_classes_text(dataset, entry, never_filled))
    split = entry["split"]
    raise StockpotError(
        f"datasets.{dataset}.split: leaves nothing to train on of {_first_of(emptied)}; held_out: "
        f"{split['held_out']:g} and test: {split['test']:g} take all of them. Add images, or take "
        "smaller numbers"
    )


def _empty_classes_text(
    dataset: str,
    entry: dict[str, Any],
    classes: list[str],
) -> str:
    """The error on classes that have no images even before the data set is split."""
    option = "class_list" if entry.get("class_list") else "classes"
    class_list = entry.get(option)
    of_list = ""
    if class_list not in (None, "all", "own"):
        of_list = f" of {one_line(class_list, 100)}"
    verb = "has" if len(classes) == 1 else "have"
    return (
        f"datasets.{dataset}.{option}: {_first_of(classes)}{of_list} "
        f"{verb} no images; take such classes off the list"
    )


def answer_classes(
    config: Config,
    locate: Locate,
) -> dict[str, list[str]]:
    """Find the classes that answers are taken among, where these are the study's.

    They are the classes of every model that is evaluated on the set, in the order of the first
    training set. Sets that something is trained on keep their own classes.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Returns:
        Data set -> its classes of answers. Sets that keep their own are left out.
    """
    datasets = config["datasets"]
    training, _ = datasets_by_role(config)
    answers: dict[str, list[str]] = {}
    for demand in _class_demands(config):
        dataset = base_dataset(datasets, demand.dataset)
        if dataset in training.values() or not answers_among_all(datasets, dataset):
            continue
        known = class_names(datasets, demand.train, locate)
        if dataset in answers and answers[dataset] != known:
            # Models of other training sets answer on this set too: what all of them know stays.
            shared = set(known)
            known = [label for label in answers[dataset] if label in shared]
        answers[dataset] = known
    return answers


def held_out_note(config: Config) -> str:
    """Say what a reader must know where checkpoints were trained on the held-out images.

    Args:
        config: A config that was checked.

    Returns:
        A paragraph; "" where they were not trained on them.
    """
    dataset = config["data"]["held_out"]
    split = config["datasets"][dataset].get("split") or {}
    if not config["data"].get("held_out_seen") or split.get("held_out_list"):
        return ""
    return (
        f"The models of checkpoints were trained on the held-out images ({dataset}). Choices "
        "on these images favour models that memorise, and fitted temperatures are too small. "
        "This affects greedy and learned soups, greedy ensembles, rows called chosen, "
        "choosing alpha, diagnosis, growing and calibration. "
        f"datasets.{dataset}.split.held_out_list can name images that the models were "
        "not trained on."
    )


def class_notes(
    config: Config,
    locate: Locate,
) -> dict[str, str]:
    """Say which data sets have other classes than the study, and how they are answered.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Returns:
        Data set -> "7 of 11 classes, answers among all" (or "among those"). A set with all classes
        is left out.
    """
    datasets = config["datasets"]
    train = config["data"]["train"]
    study_count = len(class_names(datasets, train, locate))
    notes = {}
    for dataset in _own_evaluated_sets(config):
        class_count = len(classes_with_images(datasets, dataset, locate))
        if class_count == study_count:
            continue
        asked_classes = set(head_classes(datasets, dataset, locate))
        if len(asked_classes) != class_count:
            # Each class stands for several of the model's.
            notes[dataset] = f"{class_count:,} classes, answers among those"
            continue
        among = "all" if answers_among_all(datasets, dataset) else "those"
        notes[dataset] = (
            f"{class_count:,} of {study_count:,} classes, answers among {among}"
        )
    return notes


def _own_evaluated_sets(config: Config) -> list[str]:
    """The sets that all models of the study's own task are evaluated on."""
    data = config["data"]
    return [
        data["held_out"],
        data["reference"],
        *data["corrupted"],
        *data["shifts"],
    ]


def _class_demands(config: Config) -> list[_ClassDemand]:
    """All data sets whose classes must be among those of a training set."""
    data = config["data"]
    tasks = config["tasks"]
    training = {"data.train": data["train"], **_scratch_training_sets(config)}
    demands = []
    for key_path, train in training.items():
        for dataset in _own_evaluated_sets(config):
            demands.append(_ClassDemand(key_path, dataset, train))
    for task_name, task in tasks.items():
        key_path = f"tasks.{task_name}.train"
        demands.append(_ClassDemand(key_path, task["held_out"], task["train"]))
    # A run takes the labels of its second training set for classes of the first one.
    for second in _second_sets(config):
        key_path = "data.train"
        train = data["train"]
        if second.task:
            key_path = f"tasks.{second.task}.train"
            train = tasks[second.task]["train"]
        demands.append(_ClassDemand(key_path, second.dataset, train))
    return demands


def dataset_lines(
    config: Config,
    locate: Locate,
) -> list[str]:
    """Describe the data sets for those who read the plan.

    Args:
        config: A config that was checked.
        locate: Path given in the config -> where the file is.

    Returns:
        A line per role: its data set, how many images and classes that has, and for a test set of
        few images how little an accuracy on it says. Then a line per set whose files are not all
        read, or look odd.
    """
    training, evaluated = datasets_by_role(config)
    datasets = config["datasets"]
    notes = class_notes(config, locate)
    lines = []
    for key_path, dataset in (training | evaluated).items():
        image_count = count_images(datasets, dataset, locate)
        classes = class_names(datasets, dataset, locate)
        # The notes on test sets say how many of the study's classes they have.
        classes_text = f"{len(classes):,} classes"
        if key_path in evaluated and dataset in notes:
            classes_text = notes[dataset]
        line = f"{key_path}: {dataset}, {image_count:,} images of {classes_text}"
        if key_path in training:
            filled = classes_with_images(datasets, dataset, locate)
            empty_count = len(classes) - len(filled)
            if empty_count:
                line += f"; {empty_count:,} of them without images"
        elif 0 < image_count < FEW_IMAGES:
            half_interval = WIDEST_HALF_INTERVAL / image_count**0.5
            line += f"; accuracies to ± {half_interval:.0f} points"
        lines.append(line)
    names = (training | evaluated).values()
    return lines + _lines_on_files(datasets, names, locate)


def _lines_on_files(
    datasets: Datasets,
    names: Iterable[str],
    locate: Locate,
) -> list[str]:
    """What is not read of the files of these sets, and what seems odd in them.

    A line per folder or file: several data sets may be splits of it.
    """
    datasets_by_line: dict[str, list[str]] = {}
    # A corrupted or filtered set has the files of the set that it is made of.
    for dataset in dict.fromkeys(base_dataset(datasets, dataset) for dataset in names):
        entry = datasets[dataset]
        unused = sources.unused(entry, locate)
        if unused:
            line = f"not read of {one_line(entry['path'], 100)}: {unused}"
            datasets_by_line.setdefault(line, []).append(dataset)
        warning = sources.layout_warning(entry, locate)
        if warning:
            line = f"{one_line(entry['path'], 100)}: {warning}"
            datasets_by_line.setdefault(line, []).append(dataset)
    lines = []
    for line, sharing in datasets_by_line.items():
        lines.append(f"datasets.{', '.join(sharing)}: {line}")
    return lines


def _scratch_training_sets(config: Config) -> dict[str, str]:
    """Key path -> training set of the models trained from random weights."""
    training = {}
    for key_path, spec in scratch_runs(config).items():
        # All baselines have one training set; the adversary may have another one.
        is_adversary = key_path == "adversary"
        key_path = "adversary.train" if is_adversary else "baselines.train"
        training[key_path] = spec["train"]
    return training


def _second_sets(config: Config) -> list[_SecondSet]:
    """The second data sets of runs that train on two, in the order of the runs."""
    second_sets = []
    for run, spec in finetune_specs(config).items():
        if spec.get("second_dataset"):
            key_path = f"finetune.runs.{run}.second_dataset"
            second = _SecondSet(
                key_path,
                spec.get("task", ""),
                spec["second_dataset"],
            )
            second_sets.append(second)
    return second_sets


def _first_of(names: list[str]) -> str:
    """Some names, and how many others there are."""
    shown = ", ".join(one_line(name, 40) for name in names[:MOST_LISTED])
    left_out = len(names) - MOST_LISTED
    if left_out > 0:
        return f"{shown} and {left_out} others"
    return shown
