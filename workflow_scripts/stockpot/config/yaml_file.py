"""Read one file of a config: YAML or JSON, in UTF-8, whatever is wrong with it told in one line."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular

LARGEST_FILE = 20 << 20
DEEPEST = 50
# Values after every alias is written out. The largest study here has some thousand.
MOST_VALUES = 500_000
MERGE = "tag:yaml.org,2002:merge"
STRING = "tag:yaml.org,2002:str"
KINDS = {
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:null": "null",
    "tag:yaml.org,2002:timestamp": "a date",
}


@dataclass(frozen=True)
class ConfigFile:
    """A config file that was read.

    Attributes:
        content: Its keys and values; not to be changed.
        node: The same as a graph of YAML's nodes, which know how a value is spelled, and where.
        problems: A line per key that is given twice or is no text.
    """

    content: dict
    node: yaml.Node | None
    problems: tuple[str, ...]


def read_config_file(path: Path) -> ConfigFile:
    """Read a config file, once for all who ask.

    Raises:
        StockpotError: It cannot be read, is no YAML, is nested too deep or contains itself.
    """
    try:
        stat = os.stat(path)
    except OSError as error:
        raise StockpotError(f"{path}: cannot be read ({error.strerror})") from error
    return _read(path, stat.st_mtime_ns, stat.st_size)


@cache
def _read(path: Path, time_ns: int, size: int) -> ConfigFile:
    node = _compose(path)
    if node is None:
        return ConfigFile({}, None, ())
    _check_size(node, path)
    if not isinstance(node, yaml.MappingNode):
        raise StockpotError(f"{path}: must hold keys with values, as in study: mine")
    # Before the content is made, as that writes merged maps into the nodes.
    problems = (*_repeated_keys(node, path), *_odd_keys(node, path))
    if problems:
        return ConfigFile({}, node, problems)
    try:
        return ConfigFile(yaml.SafeLoader("").construct_document(node), node, ())
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        raise StockpotError(f"{path}: not valid YAML ({_short(error)})") from error


def _compose(path: Path) -> yaml.Node | None:
    text = _text(path)
    _check_brackets(text, path)
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        hint = (
            "; indent with blanks, YAML allows no tabs" if "'\\t'" in str(error) else ""
        )
        raise StockpotError(
            f"{path}: not valid YAML ({_short(error)}){hint}"
        ) from error
    except RecursionError as error:
        raise StockpotError(
            f"{path}: nested more than {DEEPEST} levels deep"
        ) from error


def _check_brackets(text: str, path: Path) -> None:
    """Refuses thousands of brackets within each other, for which YAML's reader takes minutes."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > 4 * DEEPEST:
            raise StockpotError(f"{path}: nested more than {DEEPEST} levels deep")


def spelled(node: yaml.Node | None, keys: list[str]) -> yaml.ScalarNode | None:
    """The scalar at a key path as it is written in the file; None where there is none."""
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = [value for name, value in node.value if name.value == key]
            node = found[-1] if found else None
        elif (
            isinstance(node, yaml.SequenceNode)
            and key.isdigit()
            and int(key) < len(node.value)
        ):
            node = node.value[int(key)]
        else:
            return None
    return node if isinstance(node, yaml.ScalarNode) else None


def quote_hint(scalar: yaml.ScalarNode | None) -> str:
    """What to do about a word that YAML takes for something else, such as on; else empty."""
    if scalar is None or scalar.style or scalar.tag not in KINDS:
        return ""
    return f"; YAML reads {_word(scalar)} as {_meaning(scalar)}; quote it: '{scalar.value}'"


def _repeated_keys(root: yaml.Node, file: Path) -> list[str]:
    """A line per key that the file gives twice in one map, which YAML itself lets pass."""
    problems = []
    for path, node in _maps(root):
        seen = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and key.tag != MERGE:
                where = f"{path}.{name}".strip(".")
                number = key.start_mark.line + 1
                problems.append(
                    f"{where}: given twice in {file.name}, again in line {number}"
                )
            seen.add(name)
    return problems


def _odd_keys(root: yaml.Node, file: Path) -> list[str]:
    """A line per key that is no text, such as on, which YAML reads as true."""
    problems = []
    for path, node in _maps(root):
        for key, _ in node.value:
            if key.tag in (STRING, MERGE):
                continue
            where, line = path or "config", key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.tag in KINDS:
                problems.append(
                    f"{where}: YAML reads the key {_word(key)} as {_meaning(key)}; quote it: "
                    f"'{key.value}' (in {file.name}, line {line})"
                )
            else:
                problems.append(
                    f"{where}: a key must be text (in {file.name}, line {line})"
                )
    return problems


def _word(scalar: yaml.ScalarNode) -> str:
    return one_line(scalar.value, 60) or "an empty value"


def _meaning(scalar: yaml.ScalarNode) -> str:
    if scalar.tag.endswith(":bool"):
        return "true" if scalar.value.lower() in ("on", "yes", "true") else "false"
    return KINDS[scalar.tag]


def _maps(root: yaml.Node) -> Iterator[tuple[str, yaml.MappingNode]]:
    """Key path and node of every map of the file; one that aliases repeat is visited once."""
    visited = set()
    waiting = [("", root)]
    while waiting:
        path, node = waiting.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield path, node
            children = [(str(key.value), value) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            children = [(str(i), value) for i, value in enumerate(node.value)]
        else:
            continue
        waiting += [
            (f"{path}.{name}".strip("."), value) for name, value in reversed(children)
        ]


def _check_size(root: yaml.Node, file: Path) -> None:
    """Refuses a file that aliases make huge, or that is nested deep or within itself."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, depth: int) -> int:
        if depth > DEEPEST:
            raise StockpotError(
                f"{file}: nested more than {DEEPEST} levels deep, or within itself"
            )
        if id(node) not in sizes:
            total = 1
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    total += size(key, depth + 1) + size(value, depth + 1)
            elif isinstance(node, yaml.SequenceNode):
                for value in node.value:
                    total += size(value, depth + 1)
            sizes[id(node)] = total
        return sizes[id(node)]

    if size(root, 0) > MOST_VALUES:
        raise StockpotError(
            f"{file}: its aliases stand for more than {MOST_VALUES:,} values, too many for a study"
        )


def _text(path: Path) -> str:
    """The file's text. JSON that YAML cannot read, as it is indented with tabs, comes without."""
    try:
        with open_regular(path) as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise StockpotError(
            f"{path}: cannot be read ({error.strerror or error})"
        ) from error
    if len(data) > LARGEST_FILE:
        raise StockpotError(
            f"{path}: has more than {LARGEST_FILE >> 20} MB, too much for a config"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise StockpotError(
            f"{path}: not UTF-8 text (line {line}); save it as UTF-8 in your editor"
        ) from error
    try:
        return json.dumps(json.loads(text)) if "\t" in text else text
    except (ValueError, RecursionError):
        return text


def _short(error: Exception) -> str:
    return one_line(" ".join(str(error).split()), 300)
