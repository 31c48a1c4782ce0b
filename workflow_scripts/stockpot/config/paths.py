"""Paths of a config: they begin at the file that they stand in, else at the working directory, else
at the checkout."""

import os
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

from ..datasets.sources._options import AnswerClasses
from ..models.named import RANDOM
from ..runtime.escape import one_line

Locate = Callable[[str], Path]

# Of the workflow, with its schemas and resources. The library is used from its place in it.
CHECKOUT = Path(__file__).resolve().parents[3]

# Every key whose value may be a path. A star stands for a name.
PATHS = (
    "head.prompts",
    "head.names",
    "tasks.*.prompts",
    "tasks.*.names",
    "model.architecture",
    "model.weights",
    "standard.table.path",
    "checkpoints.*.path",
    "datasets.*.path",
    "datasets.*.images",
    "datasets.*.classes",
    "datasets.*.answers",
    "datasets.*.class_list",
    "datasets.*.annotations",
    "datasets.*.split.list",
)
# What these keys may say instead of a path; it is never looked for as a file.
WORDS = {"datasets.*.classes": get_args(AnswerClasses), "model.weights": [RANDOM]}
# These may also be the name of a model or a tag of its library.
OR_NAMES = ("model.architecture", "model.weights")


def beside(content: dict, file: Path) -> dict:
    """The content of a config file with paths that begin at the file's own folder.

    A relative path that is there beside the file is written as seen from the working directory. One
    that is not keeps its text, and is looked for elsewhere later.
    """
    return _beside(content, "", file.absolute().parent)


def _beside(value, key: str, folder: Path):
    if isinstance(value, dict):
        return {
            name: _beside(v, f"{key}.{name}".strip("."), folder)
            for name, v in value.items()
        }
    if is_path(key, value):
        return _seen_from_here(value, folder)
    if isinstance(value, list):
        return [_beside(item, key, folder) for item in value]
    return value


def is_path(key: str, value) -> bool:
    """Is this value of the config a path, as far as its key says?"""
    if not isinstance(value, str) or not value:
        return False
    if any(
        _matches(key, pattern) and value in words for pattern, words in WORDS.items()
    ):
        return False
    return any(_matches(key, pattern) for pattern in PATHS)


def _matches(key: str, pattern: str) -> bool:
    return key.count(".") == pattern.count(".") and fnmatchcase(key, pattern)


def _seen_from_here(value: str, folder: Path) -> str:
    path = folder / value
    if os.path.isabs(value) or not exists(path):
        return value
    here = Path.cwd()
    if exists(here / value) and os.path.samefile(here / value, path):
        return value
    # However the two folders are spelled, through links or not, a file has one path and so one id.
    plain = Path(os.path.normpath(os.path.join(os.path.realpath(folder), value)))
    real_here = os.path.realpath(here)
    return (
        str(plain.relative_to(real_here))
        if plain.is_relative_to(real_here)
        else str(plain)
    )


def exists(path: Path) -> bool:
    """As Path.exists, also for names that no file can have."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def not_found(
    config: dict, used: set[str], layers: list[tuple[Path, dict]], root: Path
) -> list[str]:
    """A line per relative path of the config that is in none of the places, naming all of them.

    Args:
        config: The study's config.
        used: The data sets that play a part; others need no files.
        layers: (file, content) of the config's files, in their order.
        root: Folder of the checkout.
    """
    problems = []
    for keys, value in _paths(config, []):
        key = ".".join(keys)
        section = config[keys[0]]
        entry = section[keys[1]] if isinstance(section.get(keys[1]), dict) else {}
        fetched = entry.get("download") or entry.get("url")
        unused = keys[0] == "datasets" and keys[1] not in used
        if key in OR_NAMES or fetched or unused or os.path.isabs(value):
            continue
        folders = [
            file.absolute().parent
            for file, content in layers
            if _get(content, keys) == value
        ]
        places = [*folders[-1:], Path.cwd(), root]
        if not any(exists(place / value) for place in places):
            names = ", ".join(map(str, dict.fromkeys(places)))
            problems.append(f"{key}: no file or folder {value!r} in any of {names}")
    return problems


def unfit_inputs(config: dict) -> list[str]:
    """A line per path of a file that jobs read and whose name Snakemake would not take as it is.

    Braces are wildcards to it, angle brackets variables, and control characters reach the terminal.
    """
    problems = []
    for keys, value in _paths(config, []):
        key = ".".join(keys)
        if keys[0] not in ("model", "checkpoints", "standard"):
            continue
        if re.search("[{}]", value):
            what = "braces, which Snakemake takes for wildcards"
        elif re.search("[<>]", value):
            what = "angle brackets, which Snakemake takes for variables"
        elif one_line(value) != value:
            what = "control characters, or more than 500 characters"
        else:
            continue
        problems.append(f"{key}: {value!r} has {what}; rename it")
    return problems


def _paths(value, keys: list[str]) -> Iterator[tuple[list[str], str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, [*keys, str(name)])
    elif is_path(".".join(keys), value):
        yield keys, value


def _get(content, keys: list[str]):
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content
