"""Which file of several does a key of the config come from?"""

import re
from pathlib import Path

import yaml


def repeated_keys(files: list[Path]) -> list[str]:
    """A line per key that a file gives twice in one map, and per file that is no YAML."""
    problems = []

    def walk(node, path: str, file: Path) -> None:
        if isinstance(node, yaml.MappingNode):
            seen = set()
            for key, value in node.value:
                where = f"{path}.{key.value}".strip(".")
                if key.value in seen and key.value != "<<":
                    number = key.start_mark.line + 1
                    problems.append(f"{where}: given twice in {file.name}, again in line {number}")
                seen.add(key.value)
                walk(value, where, file)
        elif isinstance(node, yaml.SequenceNode):
            for i, value in enumerate(node.value):
                walk(value, f"{path}.{i}", file)

    for file in files:
        try:
            walk(yaml.compose(file.read_text()), "", file)
        except yaml.YAMLError as error:
            problems.append(f"{file}: not valid YAML ({' '.join(str(error).split())})")
    return problems


def with_files(problems: list[str], files: list[Path], config: dict) -> list[str]:
    """The lines ("key.path: …"), each with the file that its key comes from, if there are two.

    Maps of later files are merged into those of earlier ones, so that what is wrong may stand
    in a file that the user did not write. config: the outcome; where it says something else
    than the file, the value came from the command line and no file is named.
    """
    if len(files) < 2:
        return problems
    read = [yaml.safe_load(file.read_text()) or {} for file in files]
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
        taken = [f.name for f, content in zip(files, read) if _takes_away(content, value)]
        hint = f"; {taken[-1]} takes it away, so give this key there too" if taken else ""
        named.append(f"{problem} (in {files[last].name}{hint})" if deepest and same else problem)
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
