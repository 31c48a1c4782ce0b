"""Class names and identity of a data set, known before anything is prepared."""

from collections.abc import Callable
from pathlib import Path

from . import sources

Locate = Callable[[str], Path]
ADVERSARIAL = "adversarial"


def class_names(datasets: dict[str, dict], name: str, locate: Locate) -> list[str]:
    """Class names of ``datasets[name]``, an entry of the config; a folder is listed."""
    entry = datasets[name]
    if entry["source"] == ADVERSARIAL:
        return class_names(datasets, entry["pool"], locate)
    return sources.module(entry["source"]).classes(entry, locate)


def count(datasets: dict[str, dict], name: str, locate: Locate) -> int:
    """How many images ``datasets[name]`` has; of an adversarial set, how many are wanted."""
    entry = datasets[name]
    if entry["source"] == ADVERSARIAL:
        return entry["images"]
    return sources.module(entry["source"]).count(entry, locate)


def images_of(datasets: dict[str, dict], name: str, locate: Locate) -> str:
    """What stands for the images of ``datasets[name]``: equal for equal images."""
    entry = datasets[name]
    if entry["source"] == ADVERSARIAL:
        return images_of(datasets, entry["pool"], locate)
    identity = sources.module(entry["source"]).identity(entry, locate)
    return f"{entry['source']} {identity or name}"
