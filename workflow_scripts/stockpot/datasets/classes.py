"""Class names and identity of a data set, known before anything is prepared.

``datasets`` is the part of the config with that name: name of a data set -> its entry. ``locate``
turns a path of the config into where the file is.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import sources

Locate = Callable[[str], Path]
Datasets = dict[str, dict[str, Any]]

ADVERSARIAL = "adversarial"
CORRUPTED = "corrupted"
# These sources are made from the images of another data set, which this key of the entry names.
DERIVED_FROM = {ADVERSARIAL: "pool", CORRUPTED: "dataset"}


def subset(reference: str, shift: str) -> str:
    """Name the reference restricted to the classes of a shift.

    Args:
        reference: Name of the reference.
        shift: Name of the shift.

    Returns:
        A name for tables.
    """
    return f"{reference} ({shift} classes)"


def with_default_sources(config: dict[str, Any]) -> dict[str, Any]:
    """Fill in what each corrupted set is made of: by default the held-out set.

    Args:
        config: The config, which is not changed.

    Returns:
        The config with the filled entries.
    """
    defaults = {"dataset": config["data"]["held_out"]}
    datasets = {}
    for name, entry in config["datasets"].items():
        if entry["source"] == CORRUPTED:
            datasets[name] = {**defaults, **entry}
        else:
            datasets[name] = entry
    return {**config, "datasets": datasets}


def class_names(
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> list[str]:
    """Return the class names of a data set; a folder is listed for that.

    Args:
        datasets: Entries of the config.
        name: The data set.
        locate: Turns a path of the config into where the file is.

    Returns:
        Names in the order of the labels.
    """
    entry = datasets[base_dataset(datasets, name)]
    return sources.ask_source("classes", entry, locate)


def class_texts(
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> dict[str, str]:
    """Return texts for prompts, where the source has better ones than the class names.

    Args:
        datasets: Entries of the config.
        name: The data set.
        locate: Turns a path of the config into where the file is.

    Returns:
        Class -> text, for some or no classes.
    """
    return _ask_if_defined("texts", datasets, name, locate)


def classes_with_images(
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> list[str]:
    """Return the classes that have images, as far as that is known before reading.

    Args:
        datasets: Entries of the config.
        name: The data set.
        locate: Turns a path of the config into where the file is.

    Returns:
        A subset of the class names, in their order.
    """
    return sources.classes_with_images(datasets[base_dataset(datasets, name)], locate)


def head_classes(
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> list[str]:
    """Return the classes that a model must have to be tested on a data set.

    Args:
        datasets: Entries of the config.
        name: The data set.
        locate: Turns a path of the config into where the file is.

    Returns:
        The model's classes that the data set's classes with images stand for.
    """
    model_classes = _ask_if_defined("merges", datasets, name, locate)
    names = []
    for class_name in classes_with_images(datasets, name, locate):
        # A class that the source does not translate stands for itself.
        names += model_classes.get(class_name, [class_name])
    return names


def _ask_if_defined(
    question: str,
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> dict[str, Any]:
    """Call a function that not every source module defines; {} where it is missing."""
    entry = datasets[base_dataset(datasets, name)]
    function = getattr(sources.module(entry["source"]), question, None)
    if function is None:
        return {}
    return function(entry, locate)


def answers_among_all(datasets: Datasets, name: str) -> bool:
    """Tell whether models choose among all classes of the study, not the data set's only.

    Args:
        datasets: Entries of the config.
        name: The data set.

    Returns:
        True where the answer may be a class that the data set does not have.
    """
    entry = datasets[base_dataset(datasets, name)]
    if not sources.reads_user_files(entry["source"]):
        return False
    return sources.with_defaults(entry)["classes"] != "own"


def count_images(
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> int:
    """Count the images of a data set.

    Args:
        datasets: Entries of the config.
        name: The data set.
        locate: Turns a path of the config into where the file is.

    Returns:
        Number of images; of an adversarial set, the number that the config asks for.
    """
    entry = datasets[name]
    if entry["source"] == ADVERSARIAL:
        return entry["images"]
    return sum(sources.counts(datasets[base_dataset(datasets, name)], locate))


def images_of(
    datasets: Datasets,
    name: str,
    locate: Locate,
) -> sources.Identity:
    """Return what identifies the images of a data set, so that equal sets are found.

    Args:
        datasets: Entries of the config.
        name: The data set.
        locate: Turns a path of the config into where the file is.

    Returns:
        The identity that the source gives. Where it gives none, the name identifies the images.
    """
    base_name = base_dataset(datasets, name)
    entry = datasets[base_name]
    identity = sources.identity(entry, locate)
    # Equal identities mean equal images, whatever the names of the data sets.
    if identity.read:
        return identity
    return identity._replace(read=f"{entry['source']} {base_name}")


def share_images(one: sources.Identity, other: sources.Identity) -> bool:
    """Tell whether two data sets share images; two parts of one split do not.

    Args:
        one: What identifies the images of the first, see ``images_of``.
        other: The same of the second.

    Returns:
        True where they share images, or may.
    """
    if one.read != other.read or one.published != other.published:
        return one.read == other.read
    # Two parts of one published split, such as its train and test images, share nothing.
    if one.which != other.which:
        return False
    # Nor do two parts of one split that the config makes. Two different splits overlap.
    return one.split != other.split or one.part == other.part


def base_dataset(datasets: Datasets, name: str) -> str:
    """Return the data set that the images of a data set are taken from.

    Args:
        datasets: Entries of the config.
        name: The data set.

    Returns:
        The name itself, unless the set is made from the images of another one.
    """
    entry = datasets[name]
    # A corrupted set may be made of an adversarial one, and so on.
    while entry["source"] in DERIVED_FROM:
        name = entry[DERIVED_FROM[entry["source"]]]
        entry = datasets[name]
    return name
