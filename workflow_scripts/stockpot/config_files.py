"""Which file of several does a key of the config come from?"""

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


def with_files(problems: list[str], files: list[Path]) -> list[str]:
    """The lines ("key.path: …"), each with the file that its key comes from, if there are two.

    Maps of later files are merged into those of earlier ones, so that what is wrong may stand
    in a file that the user did not write.
    """
    if len(files) < 2:
        return problems
    read = [yaml.safe_load(file.read_text()) or {} for file in files]
    named = []
    for problem in problems:
        keys = problem.split(":")[0].split(".")
        depths = [_depth(config, keys) for config in read]
        last = max(i for i, depth in enumerate(depths) if depth == max(depths))
        named.append(f"{problem} (in {files[last].name})" if max(depths) else problem)
    return named


def _depth(config, keys: list[str]) -> int:
    """How many of the keys, one below the other, a file has."""
    for depth, key in enumerate(keys):
        if isinstance(config, list) and key.isdigit() and int(key) < len(config):
            config = config[int(key)]
        elif isinstance(config, dict) and key in config:
            config = config[key]
        else:
            return depth
    return len(keys)
