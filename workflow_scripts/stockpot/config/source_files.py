"""Which file of several a key of the config comes from."""

import re
from pathlib import Path
from typing import Any

from ..runtime.errors import StockpotError
from .yaml_file import quote_hint, read_config_file, scalar_at


def repeated_keys(files: list[Path]) -> list[str]:
    """Find the keys that a file gives twice in one map.

    Args:
        files: The config files.

    Returns:
        A line per key, and per file that is no YAML.
    """
    problems: list[str] = []
    for file in files:
        try:
            problems += read_config_file(file).problems
        except StockpotError as error:
            problems.append(str(error))
    return problems


def with_source_files(
    problems: list[str],
    files: list[Path],
    config: dict[str, Any],
) -> list[str]:
    """Add to each line the file that its key comes from, if there are several.

    Maps of later files are merged into those of earlier ones, so what is wrong may stand in a file
    that the user did not write.

    Args:
        problems: Lines ("key.path: …").
        files: The config files, later ones on top.
        config: The merged config. Where it says something else than the file, the value came from
            the command line, and no file is named.

    Returns:
        The lines, in their order.
    """
    if not files:
        return problems
    contents = [read_config_file(file).content for file in files]
    return [_with_source_file(line, files, contents, config) for line in problems]


def _with_source_file(
    problem: str,
    files: list[Path],
    contents: list[dict[str, Any]],
    config: dict[str, Any],
) -> str:
    keys = _keys(problem)
    deepest = 0
    source_file = None
    value: Any = None
    # The last of the files that say most about the key.
    for file, content in zip(files, contents):
        depth, file_value = _lookup(content, keys)
        if depth >= deepest:
            deepest = depth
            source_file = file
            value = file_value
    if source_file is None or deepest == 0:
        return problem
    _, merged_value = _lookup(config, keys)
    # Of a map every file may give a part; a single value must be the one that counts.
    is_part = isinstance(value, dict | list)
    if not is_part and value != merged_value:
        return problem
    if "is not of type string" in problem:
        node = read_config_file(source_file).node
        scalar = scalar_at(node, keys)
        problem += quote_hint(scalar)
    if len(files) == 1:
        return problem
    hint = ""
    # A name that is unknown may be that of an entry which a file has removed.
    removed_in = []
    for file, content in zip(files, contents):
        if _sets_to_null(content, value):
            removed_in.append(file.name)
    if removed_in:
        hint = f"; {removed_in[-1]} removes it, so give this key there too"
    return f"{problem} (in {source_file.name}{hint})"


def _keys(problem: str) -> list[str]:
    """The key path that a line is about."""
    # The line of an unknown key begins with the map that it is in; the file is that of the key.
    keys = problem.split(":")[0].split(".")
    unknown = re.search(r": unknown key '([^']+)'", problem)
    if unknown:
        keys.append(unknown.group(1))
    return keys


def _sets_to_null(
    config: Any,
    name: Any,
) -> bool:
    """Is there a map in the config, at any depth, that has this name with null?"""
    if not isinstance(config, dict) or not isinstance(name, str):
        return False
    if name in config and config[name] is None:
        return True
    return any(_sets_to_null(value, name) for value in config.values())


def _is_index(
    key: str,
    items: list[Any],
) -> bool:
    """Is this the number of an item of the list?"""
    return key.isdigit() and int(key) < len(items)


def _lookup(
    config: Any,
    keys: list[str],
) -> tuple[int, Any]:
    """How many of the keys, one below the other, a config has, and what stands there."""
    for depth, key in enumerate(keys):
        if isinstance(config, list) and _is_index(key, config):
            config = config[int(key)]
        elif isinstance(config, dict) and key in config:
            config = config[key]
        else:
            return depth, config
    return len(keys), config
