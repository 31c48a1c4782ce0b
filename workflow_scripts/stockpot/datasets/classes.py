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
    entry = datasets[name]
    if entry["source"] in MADE_OF:
        return class_names(datasets, entry[MADE_OF[entry["source"]]], locate)
    return sources.module(entry["source"]).classes(entry, locate)


def count(datasets: dict[str, dict], name: str, locate: Locate) -> int:
    """How many images ``datasets[name]`` has; of an adversarial set, how many are wanted."""
    entry = datasets[name]
    if entry["source"] == ADVERSARIAL:
        return entry["images"]
    if entry["source"] == CORRUPTED:
        return count(datasets, entry["of"], locate)
    return sources.module(entry["source"]).count(entry, locate)


def images_of(datasets: dict[str, dict], name: str, locate: Locate) -> str:
    """What stands for the images of ``datasets[name]``: equal for equal images."""
    entry = datasets[name]
    if entry["source"] in MADE_OF:
        return images_of(datasets, entry[MADE_OF[entry["source"]]], locate)
    identity = sources.module(entry["source"]).identity(entry, locate)
    return f"{entry['source']} {identity or name}"
