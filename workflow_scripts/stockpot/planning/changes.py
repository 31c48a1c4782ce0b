"""What differs between two versions of a job, in words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ABSENT = object()
LONGEST_VALUE = 64  # characters of a value that is shown
MOST_NAMES = 4
ARTEFACT = re.compile(r"(.+)-[0-9a-f]{8}")
DIGEST = re.compile(r"[0-9a-f]{8,64}")
SMALLEST_DECIMAL = 1e-2  # smaller numbers are written with an exponent
LARGEST_DECIMAL = 1e5


@dataclass(frozen=True)
class Change:
    """One value of a job that is another one now.

    Attributes:
        path: Keys down to the value.
        old: The value before, ABSENT if it is new.
        new: The value now, ABSENT if it is gone.
    """

    path: tuple[str, ...]
    old: object
    new: object

    @property
    def words(self) -> str:
        """As in "lr 6.0e-4 -> 3.0e-4"."""
        keys = [key for key in self.path if key not in ("spec", "options")]
        name = ".".join(keys)
        name = f"option {name}" if self.path[:1] == ("options",) else name
        if self.old is ABSENT:
            return f"{name} {shown(self.new)} is new".replace("  ", " ")
        if self.new is ABSENT:
            return f"{name} {shown(self.old)} is gone".replace("  ", " ")
        before, after = shown(self.old), shown(self.new)
        if DIGEST.fullmatch(before) and DIGEST.fullmatch(after):
            return f"{name} changed"
        if not before or not after:
            return f"{name} is another one"
        return f"{name} {before} -> {after}"


def shown(value: object) -> str:
    """A value as a config would say it, "" where it is too long for a line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, float) and value and not _is_plain(value):
        digits, exponent = f"{value:e}".split("e")
        digits = digits.rstrip("0")
        return f"{digits}{'0' if digits.endswith('.') else ''}e{int(exponent)}"
    if isinstance(value, (dict, list)):
        return ""
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else ""


def _is_plain(value: float) -> bool:
    return SMALLEST_DECIMAL <= abs(value) < LARGEST_DECIMAL


def changes(old: object, new: object, path: tuple[str, ...] = ()) -> list[Change]:
    """The values in which plain data differs.

    Ids of artefacts count by their names: what changed behind one is told of the job that makes it.

    Args:
        old: The data before.
        new: The data now.
        path: Keys down to the data.
    """
    old, new = _plain(old), _plain(new)
    if old == new:
        return []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [Change(path, old, new)]
    found = []
    for key in sorted({*old, *new}, key=str):
        found += changes(old.get(key, ABSENT), new.get(key, ABSENT), (*path, str(key)))
    return found


def _plain(value: object) -> object:
    """Ids as names; lists of named or of simple things as dictionaries by name."""
    if isinstance(value, str):
        match = ARTEFACT.fullmatch(value)
        return match[1] if match else value
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        if items and all(isinstance(item, dict) and "name" in item for item in items):
            return {item["name"]: item for item in items}
        if items and all(_is_pair(item) for item in value):
            return {_plain(name): role for name, role in value}
        if items and all(isinstance(item, (str, int, float)) for item in items):
            return {str(item): "" for item in items}
        return items
    return value


def _is_pair(item: object) -> bool:
    """Is it a name with what belongs to it?"""
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        return False
    return all(isinstance(part, str) for part in item)


def words(found: Iterable[Change]) -> list[str]:
    """Changes in words, those of things that came or went in one list as one."""
    lines: list[str] = []
    lists: dict[tuple[str, ...], list[str]] = {}
    for change in found:
        item = change.new if change.old is ABSENT else change.old
        simple = item == "" or isinstance(item, dict)
        if ABSENT in (change.old, change.new) and simple and len(change.path) > 1:
            sign = "+" if change.old is ABSENT else "-"
            lists.setdefault(change.path[:-1], []).append(f"{sign} {change.path[-1]}")
        else:
            lines.append(change.words)
    for path, items in lists.items():
        lines.append(f"{'.'.join(path)} {enumeration(items)}")
    return lines


def code_words(old: dict[str, str] | None, new: dict[str, str]) -> str:
    """Which code changed: "training/loss.py changed (function mixup)".

    Args:
        old: Part of the code -> its digest, before; None if it is not known.
        new: The same now. A part is called "training/loss.py mixup", or as its file.
    """
    if old is None:
        return "its code changed"
    parts = [name for name in new if old.get(name) != new[name]]
    parts = parts or [name for name in old if name not in new]
    files: dict[str, list[str]] = {}
    for part in parts:
        file, _, name = part.partition(" ")
        files.setdefault(file, []).extend([name] if name else [])
    if not files:
        return "its code changed"
    if len(files) > MOST_NAMES:
        return f"{enumeration(files)} changed"
    return ", ".join(_file_words(file, names) for file, names in files.items())


def _file_words(file: str, names: list[str]) -> str:
    if not names:
        return f"{file} changed"
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(_kind(name), []).append(name)
    told = []
    for kind, group in kinds.items():
        plural = f"{kind}s" if kind != "class" else "classes"
        told.append(f"{kind if len(group) == 1 else plural} {enumeration(group)}")
    return f"{file} changed ({', '.join(told)})"


def _kind(name: str) -> str:
    """What a definition of this name is, by the way that names are written."""
    bare = name.lstrip("_")
    if bare.isupper():
        return "constant"
    return "class" if bare[:1].isupper() else "function"


def enumeration(names: Iterable[str]) -> str:
    """Some names, and how many more there are."""
    listed = list(names)
    more = len(listed) - MOST_NAMES
    shown_names = listed if more <= 1 else listed[:MOST_NAMES]
    return ", ".join(shown_names) + (f" and {more} more" if more > 1 else "")
