"""Paths of a config: where a relative path is looked for.

It begins at the file that it stands in; else at the working directory; else at the checkout.
"""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

from ..datasets.sources._options import AnswerClasses
from ..models.hub_models import RANDOM
from ..runtime.escape import one_line

Locate = Callable[[str], Path]

# Folder of the workflow, with its schemas and resources. The library is used from its place in it.
CHECKOUT = Path(__file__).resolve().parents[3]

# Every key whose value may be a path. A star stands for a name.
PATHS = (
    "head.prompts",
    "head.class_names",
    "tasks.*.prompts",
    "tasks.*.class_names",
    "model.architecture",
    "model.weights",
    "baselines.table.path",
    "checkpoints.*.path",
    "datasets.*.path",
    "datasets.*.image_folder",
    "datasets.*.classes",
    "datasets.*.label_file",
    "datasets.*.class_list",
    "datasets.*.annotations",
    "datasets.*.split.held_out_list",
)
# What these keys may say instead of a path; it is never looked for as a file.
WORDS = {"datasets.*.classes": get_args(AnswerClasses), "model.weights": [RANDOM]}
# These may also be the name of a model or a tag of its library.
OR_NAMES = ("model.architecture", "model.weights")
# Sections whose files Snakemake knows as inputs of jobs.
_INPUT_SECTIONS = ("model", "checkpoints", "baselines")


def relative_to_file(
    content: dict[str, Any],
    file: Path,
) -> dict[str, Any]:
    """Resolve the paths of a config file that begin at the file's own folder.

    Args:
        content: Content of the file.
        file: The file.

    Returns:
        A new content. A relative path that exists beside the file is written as seen from the
        working directory. Another keeps its text, and is looked for elsewhere later.
    """
    return _resolved(content, "", file.absolute().parent)


def _resolved(
    value: Any,
    key: str,
    folder: Path,
) -> Any:
    if isinstance(value, dict):
        return {
            name: _resolved(inner, f"{key}.{name}".strip("."), folder)
            for name, inner in value.items()
        }
    if is_path(key, value):
        return _seen_from_here(value, folder)
    if isinstance(value, list):
        return [_resolved(item, key, folder) for item in value]
    return value


def is_path(
    key: str,
    value: Any,
) -> bool:
    """Tell whether a value of the config is a path, as far as its key says.

    Args:
        key: Key path.
        value: What stands there.

    Returns:
        True if it is.
    """
    if not isinstance(value, str) or not value:
        return False
    for pattern, words in WORDS.items():
        if _matches(key, pattern) and value in words:
            return False
    return any(_matches(key, pattern) for pattern in PATHS)


def _matches(
    key: str,
    pattern: str,
) -> bool:
    # fnmatch's star matches points too, so the points are counted.
    return key.count(".") == pattern.count(".") and fnmatchcase(key, pattern)


def _seen_from_here(
    value: str,
    folder: Path,
) -> str:
    """A path from a file's folder as a path from the working directory."""
    path = folder / value
    if os.path.isabs(value) or not exists(path):
        return value
    here = Path.cwd()
    if exists(here / value) and os.path.samefile(here / value, path):
        return value
    # However the two folders are spelled, through links or not, a file has one path and so one id.
    joined = os.path.join(os.path.realpath(folder), value)
    absolute = Path(os.path.normpath(joined))
    real_here = os.path.realpath(here)
    if absolute.is_relative_to(real_here):
        return str(absolute.relative_to(real_here))
    return str(absolute)


def exists(path: Path) -> bool:
    """Tell whether a file or folder exists, also for names that no file can have.

    Args:
        path: The path.

    Returns:
        False if it does not exist or cannot exist.
    """
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def not_found(
    config: dict[str, Any],
    used: set[str],
    layers: Sequence[tuple[Path, dict[str, Any]]],
    root: Path,
) -> list[str]:
    """Find the relative paths of a config that exist nowhere.

    Args:
        config: The study's config.
        used: The data sets with a role; others need no files.
        layers: (file, content) of the config's files, in their order.
        root: Folder of the checkout.

    Returns:
        A line per path, which names all folders that were looked in.
    """
    problems = []
    for keys, value in _paths(config, []):
        key = ".".join(keys)
        if not _needs_file(config, keys, used) or os.path.isabs(value):
            continue
        # The last file that gives the path, as its value is the one that counts.
        folders = [
            file.absolute().parent
            for file, content in layers
            if _get(content, keys) == value
        ]
        searched = [*folders[-1:], Path.cwd(), root]
        if not any(exists(folder / value) for folder in searched):
            names = ", ".join(map(str, dict.fromkeys(searched)))
            problems.append(f"{key}: no file or folder {value!r} in any of {names}")
    return problems


def _needs_file(
    config: dict[str, Any],
    keys: list[str],
    used: set[str],
) -> bool:
    """Must the file at a key path exist before the study runs?"""
    if ".".join(keys) in OR_NAMES:
        return False
    section = config[keys[0]]
    entry = section.get(keys[1])
    if isinstance(entry, dict) and (entry.get("download") or entry.get("url")):
        # Fetched by a job.
        return False
    return keys[0] != "datasets" or keys[1] in used


def unfit_inputs(config: dict[str, Any]) -> list[str]:
    """Find the paths of jobs' inputs whose names Snakemake would not take as they are.

    Braces are wildcards to it, angle brackets variables, and control characters reach the terminal.

    Args:
        config: The study's config.

    Returns:
        A line per path.
    """
    problems = []
    for keys, value in _paths(config, []):
        if keys[0] not in _INPUT_SECTIONS:
            continue
        what = _unfit_characters(value)
        if what:
            problems.append(f"{'.'.join(keys)}: {value!r} has {what}; rename it")
    return problems


def _unfit_characters(path: str) -> str:
    """What a path has that Snakemake would not take; empty if there is nothing."""
    if re.search("[{}]", path):
        return "braces, which Snakemake takes for wildcards"
    if re.search("[<>]", path):
        return "angle brackets, which Snakemake takes for variables"
    if one_line(path) != path:
        return "control characters, or more than 500 characters"
    return ""


def _paths(
    value: Any,
    keys: list[str],
) -> Iterator[tuple[list[str], str]]:
    """(keys, path) of every path of a config."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, [*keys, str(name)])
    elif is_path(".".join(keys), value):
        yield keys, value


def _get(
    content: Any,
    keys: list[str],
) -> Any:
    """What stands at a key path; None if nothing does."""
    for key in keys:
        if not isinstance(content, dict):
            return None
        content = content.get(key)
    return content
