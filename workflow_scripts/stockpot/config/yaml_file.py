"""Read one file of a config: YAML or JSON, in UTF-8. Whatever is wrong with it is one line."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.regular_files import open_regular

# Bytes of a file.
LARGEST_FILE = 20 << 20
# Levels of maps and lists within each other.
DEEPEST = 50
# Values after every alias is written out. The largest study here has some thousand.
MOST_VALUES = 500_000
MERGE = "tag:yaml.org,2002:merge"
STRING = "tag:yaml.org,2002:str"
# What YAML reads a word without quotes as, by its tag.
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

    content: dict[str, Any]
    node: yaml.Node | None
    problems: tuple[str, ...]


def read_config_file(path: Path) -> ConfigFile:
    """Read a config file, once for all callers.

    Args:
        path: The file.

    Returns:
        Its content, and what is wrong with its keys.

    Raises:
        StockpotError: If it cannot be read, is no YAML, is nested too deep or contains itself.
    """
    try:
        stat = os.stat(path)
    except OSError as error:
        raise StockpotError(f"{path}: cannot be read ({error.strerror})") from error
    # Time and size are part of the cache's key: a file that has changed is read again.
    return _read(path, stat.st_mtime_ns, stat.st_size)


@cache
def _read(
    path: Path,
    time_ns: int,
    size: int,
) -> ConfigFile:
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
        content = yaml.SafeLoader("").construct_document(node)
    except (yaml.YAMLError, ValueError, OverflowError, TypeError) as error:
        raise StockpotError(f"{path}: not valid YAML ({_short(error)})") from error
    return ConfigFile(content, node, ())


def _compose(path: Path) -> yaml.Node | None:
    """The graph of YAML's nodes of a file; None for an empty file."""
    text = _text(path)
    _check_brackets(text, path)
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        hint = ""
        if "'\\t'" in str(error):
            hint = "; indent with blanks, YAML allows no tabs"
        raise StockpotError(
            f"{path}: not valid YAML ({_short(error)}){hint}"
        ) from error
    except RecursionError as error:
        raise StockpotError(
            f"{path}: nested more than {DEEPEST} levels deep"
        ) from error


def _check_brackets(
    text: str,
    path: Path,
) -> None:
    """Refuse thousands of brackets within each other, for which YAML's reader takes minutes."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket.group() in "[{" else -1
        # Brackets in texts count too, so the limit is wider than that of levels.
        if depth > 4 * DEEPEST:
            raise StockpotError(f"{path}: nested more than {DEEPEST} levels deep")


def scalar_at(
    node: yaml.Node | None,
    keys: list[str],
) -> yaml.ScalarNode | None:
    """Find the scalar at a key path, which knows how it is written in the file.

    Args:
        node: The file's graph of nodes.
        keys: The key path.

    Returns:
        The scalar; None if there is none.
    """
    for key in keys:
        node = _child(node, key)
    return node if isinstance(node, yaml.ScalarNode) else None


def _child(
    node: yaml.Node | None,
    key: str,
) -> yaml.Node | None:
    """What a map has at a key, or a list at an index; None if it has nothing there."""
    if isinstance(node, yaml.MappingNode):
        values = [value for name, value in node.value if name.value == key]
        # After merged maps come the keys that the map gives itself.
        return values[-1] if values else None
    if isinstance(node, yaml.SequenceNode) and key.isdigit():
        index = int(key)
        return node.value[index] if index < len(node.value) else None
    return None


def quote_hint(scalar: yaml.ScalarNode | None) -> str:
    """Say what to do about a word that YAML takes for something else, such as on.

    Args:
        scalar: The word as it is written in the file.

    Returns:
        An addition to an error's line; empty if the word is not of that kind.
    """
    if scalar is None or scalar.style or scalar.tag not in KINDS:
        return ""
    return f"; YAML reads {_word(scalar)} as {_meaning(scalar)}; quote it: '{scalar.value}'"


def _repeated_keys(
    root: yaml.Node,
    file: Path,
) -> list[str]:
    """A line per key that the file gives twice in one map, which YAML itself lets pass."""
    problems = []
    for path, node in _maps(root):
        seen = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen and key.tag != MERGE:
                key_path = f"{path}.{name}".strip(".")
                line = key.start_mark.line + 1
                problems.append(
                    f"{key_path}: given twice in {file.name}, again in line {line}"
                )
            seen.add(name)
    return problems


def _odd_keys(
    root: yaml.Node,
    file: Path,
) -> list[str]:
    """A line per key that is no text, such as on, which YAML reads as true."""
    problems = []
    for path, node in _maps(root):
        for key, _ in node.value:
            if key.tag not in (STRING, MERGE):
                problems.append(_odd_key(path or "config", key, file))
    return problems


def _odd_key(
    path: str,
    key: yaml.Node,
    file: Path,
) -> str:
    line = key.start_mark.line + 1
    if isinstance(key, yaml.ScalarNode) and key.tag in KINDS:
        return (
            f"{path}: YAML reads the key {_word(key)} as {_meaning(key)}; quote it: "
            f"'{key.value}' (in {file.name}, line {line})"
        )
    return f"{path}: a key must be text (in {file.name}, line {line})"


def _word(scalar: yaml.ScalarNode) -> str:
    return one_line(scalar.value, 60) or "an empty value"


def _meaning(scalar: yaml.ScalarNode) -> str:
    """What YAML reads a word as."""
    if scalar.tag.endswith(":bool"):
        return "true" if scalar.value.lower() in ("on", "yes", "true") else "false"
    return KINDS[scalar.tag]


def _maps(root: yaml.Node) -> Iterator[tuple[str, yaml.MappingNode]]:
    """Key path and node of every map of the file; one that aliases repeat is visited once."""
    visited = set()
    # A stack, so that a file that contains itself ends and no depth is too deep.
    waiting = [("", root)]
    while waiting:
        path, node = waiting.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield path, node
        # In reverse, as the last one is taken off first: the order is that of the file.
        for name, child in reversed(_children(node)):
            waiting.append((f"{path}.{name}".strip("."), child))


def _children(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    """(key or index, node) of what a map or a list holds; empty for a scalar."""
    if isinstance(node, yaml.MappingNode):
        return [(str(key.value), value) for key, value in node.value]
    if isinstance(node, yaml.SequenceNode):
        return [(str(i), value) for i, value in enumerate(node.value)]
    return []


def _check_size(
    root: yaml.Node,
    file: Path,
) -> None:
    """Refuse a file that aliases make huge, or that is nested deep or within itself."""
    # Node -> values in it. A node that many aliases stand for is counted once, yet added for each.
    sizes: dict[int, int] = {}

    def size_of(
        node: yaml.Node,
        depth: int,
    ) -> int:
        """Number of values in a node, itself included."""
        if depth > DEEPEST:
            raise StockpotError(
                f"{file}: nested more than {DEEPEST} levels deep, or within itself"
            )
        if id(node) not in sizes:
            total = 1
            for inner in _nodes_within(node):
                total += size_of(inner, depth + 1)
            sizes[id(node)] = total
        return sizes[id(node)]

    if size_of(root, 0) > MOST_VALUES:
        raise StockpotError(
            f"{file}: its aliases stand for more than {MOST_VALUES:,} values, too many for a study"
        )


def _nodes_within(node: yaml.Node) -> list[yaml.Node]:
    """Keys and values of a map, values of a list; empty for a scalar."""
    if isinstance(node, yaml.SequenceNode):
        return node.value
    nodes = []
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            nodes += [key, value]
    return nodes


def _text(path: Path) -> str:
    """The file's text. JSON that YAML cannot read, as tabs indent it, comes without tabs."""
    text = _decoded(_bytes(path), path)
    if "\t" not in text:
        return text
    try:
        return json.dumps(json.loads(text))
    except (ValueError, RecursionError):
        # No JSON: YAML's reader says what is wrong.
        return text


def _bytes(path: Path) -> bytes:
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
    return data


def _decoded(
    data: bytes,
    path: Path,
) -> str:
    try:
        # Some editors begin a file with a byte order mark, which this codec drops.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise StockpotError(
            f"{path}: not UTF-8 text (line {line}); save it as UTF-8 in your editor"
        ) from error


def _short(error: Exception) -> str:
    return one_line(" ".join(str(error).split()), 300)
