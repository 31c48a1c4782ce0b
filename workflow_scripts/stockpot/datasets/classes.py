"""Class names and identity of a data set, known before anything is prepared."""

from collections.abc import Callable
from pathlib import Path

from . import sources

Locate = Callable[[str], Path]
ADVERSARIAL = "adversarial"
CORRUPTED = "corrupted"
# Made from the images of another data set, which this key names.
MADE_OF = {ADVERSARIAL: "pool", CORRUPTED: "of"}


def subset(reference: str, shift: str) -> str:
    """Name of the reference restricted to the classes of a shift."""
    return f"{reference} ({shift} classes)"


def resolved(config: dict) -> dict:
    """The config with what corrupted sets are made of: the held-out set where nothing is said."""
    own = {"of": config["data"]["held_out"]}
    datasets = {
        name: {**own, **entry} if entry["source"] == CORRUPTED else entry
        for name, entry in config["datasets"].items()
    }
    return {**config, "datasets": datasets}


def class_names(datasets: dict[str, dict], name: str, locate: Locate) -> list[str]:
    """Class names of ``datasets[name]``, an entry of the config; a folder is listed."""
    entry = datasets[origin(datasets, name)]
    return sources.ask("classes", entry, locate)


def class_texts(datasets: dict[str, dict], name: str, locate: Locate) -> dict[str, str]:
    """Class -> text for prompts, where the source knows better than the class's own name."""
    entry = datasets[origin(datasets, name)]
    return getattr(sources.module(entry["source"]), "texts", lambda *_: {})(
        entry, locate
    )


def classes_with_images(
    datasets: dict[str, dict], name: str, locate: Locate
) -> list[str]:
    """Those of its classes that have images, as far as that is known."""
    return sources.classes_with_images(datasets[origin(datasets, name)], locate)


def head_classes(datasets: dict[str, dict], name: str, locate: Locate) -> list[str]:
    """Classes that a model must have to answer: those that each class with images stands for."""
    entry = datasets[origin(datasets, name)]
    found = getattr(sources.module(entry["source"]), "merges", lambda *_: {})(
        entry, locate
    )
    own = classes_with_images(datasets, name, locate)
    return [wanted for label in own for wanted in found.get(label, [label])]


def answers_among_all(datasets: dict[str, dict], name: str) -> bool:
    """Are answers to a set taken among all classes of the study, not among its own?"""
    entry = datasets[origin(datasets, name)]
    return (
        sources.is_own(entry["source"])
        and sources.with_defaults(entry)["classes"] != "own"
    )


def count(datasets: dict[str, dict], name: str, locate: Locate) -> int:
    """How many images ``datasets[name]`` has; of an adversarial set, how many are wanted."""
    entry = datasets[name]
    if entry["source"] == ADVERSARIAL:
        return entry["images"]
    return sum(sources.counts(datasets[origin(datasets, name)], locate))


def images_of(datasets: dict[str, dict], name: str, locate: Locate) -> sources.Identity:
    """What stands for the images of ``datasets[name]``."""
    name = origin(datasets, name)
    found = sources.identity(datasets[name], locate)
    return found._replace(read=found.read or f"{datasets[name]['source']} {name}")


def share_images(one: sources.Identity, other: sources.Identity) -> bool:
    """Do two sets share images? Two parts of one split do not."""
    if one.read != other.read or one.published != other.published:
        return one.read == other.read
    if one.which != other.which:
        return False
    return one.split != other.split or one.part == other.part


def origin(datasets: dict[str, dict], name: str) -> str:
    """The set itself, or the one whose images it is made of."""
    while (entry := datasets[name])["source"] in MADE_OF:
        name = entry[MADE_OF[entry["source"]]]
    return name
