"""Which file of several does a key of the config come from?"""

import re
from pathlib import Path

from ..runtime.errors import StockpotError
from .yaml_file import quote_hint, read_config_file, spelled


def repeated_keys(files: list[Path]) -> list[str]:
    """A line per key that a file gives twice in one map, and per file that is no YAML."""
    problems: list[str] = []
    for file in files:
        try:
            problems += read_config_file(file).problems
        except StockpotError as error:
            problems.append(str(error))
    return problems


def with_files(problems: list[str], files: list[Path], config: dict) -> list[str]:
    """The lines ("key.path: …"), each with the file that its key comes from, if there are two.

    Maps of later files are merged into those of earlier ones, so that what is wrong may stand
    in a file that the user did not write. config: the outcome; where it says something else
    than the file, the value came from the command line and no file is named.
    """
    if not files:
        return problems
    read = [read_config_file(file).content for file in files]
    named = []
    for problem in problems:
        keys = problem.split(":")[0].split(".")
        if unknown := re.search(r": unknown key '([^']+)'", problem):
            keys.append(unknown.group(1))
        found = [_walk(content, keys) for content in read]
        deepest = max(depth for depth, _ in found)
        last = max(i for i, (depth, _) in enumerate(found) if depth == deepest)
        value = found[last][1]
        same = isinstance(value, dict | list) or value == _walk(config, keys)[1]
        taken = [
            f.name for f, content in zip(files, read) if _takes_away(content, value)
        ]
        hint = (
            f"; {taken[-1]} takes it away, so give this key there too" if taken else ""
        )
        if deepest and same:
            if "is not of type string" in problem:
                problem += quote_hint(spelled(read_config_file(files[last]).node, keys))
            problem += f" (in {files[last].name}{hint})" if len(files) > 1 else ""
        named.append(problem)
    return named


def _takes_away(config, name) -> bool:
    """Has a map in it this name with null?"""
    if not isinstance(config, dict) or not isinstance(name, str):
        return False
    return (name in config and config[name] is None) or any(
        _takes_away(value, name) for value in config.values()
    )


def _walk(config, keys: list[str]) -> tuple[int, object]:
    """How many of the keys, one below the other, a config has, and what stands there."""
    for depth, key in enumerate(keys):
        if isinstance(config, list) and key.isdigit() and int(key) < len(config):
            config = config[int(key)]
        elif isinstance(config, dict) and key in config:
            config = config[key]
        else:
            return depth, config
    return len(keys), config
