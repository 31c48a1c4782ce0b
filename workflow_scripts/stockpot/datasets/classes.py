"""Class names of a data set, known before anything is prepared."""

from collections.abc import Callable
from pathlib import Path

from .listing import class_folders
from .world.tasks import TASKS
from .world.vocabulary import DIGITS


def class_names(datasets: dict[str, dict], name: str, locate: Callable[[str], Path]) -> list[str]:
    """Class names of ``datasets[name]``, an entry of the config; a folder is listed."""
    entry = datasets[name]
    if entry["source"] == "world":
        return list(TASKS[entry["task"]][2])
    if entry["source"] == "handwriting":
        return list(DIGITS)
    if entry["source"] == "adversarial":
        return class_names(datasets, entry["pool"], locate)
    folder = locate(entry["path"])
    return class_folders(folder) if folder.is_dir() else []
