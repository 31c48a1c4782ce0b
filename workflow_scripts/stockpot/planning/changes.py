"""What differs between two versions of a job, in words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

ABSENT = object()  # stands for a value that is not there
LONGEST_VALUE = 64  # characters of a value that is shown
MOST_NAMES = 4
ARTEFACT = re.compile(r"(.+)-[0-9a-f]{8}")
DIGEST = re.compile(r"[0-9a-f]{8,64}")
# Numbers outside this range are written with an exponent.
SMALLEST_DECIMAL = 1e-2
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
        """The change in words.

        Returns:
            As in "lr 6.0e-4 -> 3.0e-4".
        """
        name = self._name()
        # A value that is too long is left out, with the space before it.
        if self.old is ABSENT:
            text = f"{name} {value_text(self.new)} is new"
            return text.replace("  ", " ")
        if self.new is ABSENT:
            text = f"{name} {value_text(self.old)} is gone"
            return text.replace("  ", " ")
        before = value_text(self.old)
        after = value_text(self.new)
        # Nobody reads digests, so it is enough that they differ.
        are_digests = DIGEST.fullmatch(before) and DIGEST.fullmatch(after)
        if are_digests:
            return f"{name} changed"
        # One of the values is too long to be shown.
        if not before or not after:
            return f"{name} is another one"
        return f"{name} {before} -> {after}"

    def _name(self) -> str:
        """The keys as a config says them: those that only the plan has are left out."""
        keys = [key for key in self.path if key not in ("spec", "options")]
        name = ".".join(keys)
        if self.path[:1] == ("options",):
            return f"option {name}"
        return name

    def is_item(self) -> bool:
        """Did an item of a list come or go?

        Returns:
            False if a value of its own is new, gone or another one.
        """
        if self.old is ABSENT:
            item = self.new
        elif self.new is ABSENT:
            item = self.old
        else:
            return False
        # See _comparable: items have "" for a value, or the dictionary that they name.
        is_item = item == "" or isinstance(item, dict)
        return is_item and len(self.path) > 1


def value_text(value: object) -> str:
    """Write a value as a config would.

    Args:
        value: Plain data.

    Returns:
        One line; "" where the value is too long for that.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not _is_decimal(value):
        return _with_exponent(value)
    if isinstance(value, (dict, list)):
        return ""
    text = str(value)
    if len(text) > LONGEST_VALUE:
        return ""
    return text


def _is_decimal(value: float) -> bool:
    """Is a number written without an exponent?"""
    if value == 0:
        return True
    return SMALLEST_DECIMAL <= abs(value) < LARGEST_DECIMAL


def _with_exponent(value: float) -> str:
    """A number as in 6.0e-4: one decimal at least, and no zeros after it."""
    # Python writes 6.000000e-04.
    text = f"{value:e}"
    digits, exponent = text.split("e")
    digits = digits.rstrip("0")
    if digits.endswith("."):
        digits += "0"
    return f"{digits}e{int(exponent)}"


def changes(
    old: object,
    new: object,
    path: tuple[str, ...] = (),
) -> list[Change]:
    """Find the values in which plain data differs.

    Ids of artefacts count by their names: what changed behind one is told of the job that makes it.

    Args:
        old: The data before.
        new: The data now.
        path: Keys down to the data.

    Returns:
        The changes, sorted by their keys.
    """
    # Differences that do not count are taken out first.
    old = _comparable(old)
    new = _comparable(new)
    if old == new:
        return []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return [Change(path, old, new)]
    differences = []
    # Keys may be numbers and texts, which cannot be compared with each other.
    keys = {*old, *new}
    for key in sorted(keys, key=str):
        before = old.get(key, ABSENT)
        after = new.get(key, ABSENT)
        differences += changes(before, after, (*path, str(key)))
    return differences


def _comparable(value: object) -> object:
    """Ids as names; lists of named or of simple things as dictionaries by name."""
    if isinstance(value, str):
        match = ARTEFACT.fullmatch(value)
        # An id consists of a name and 8 hexadecimal digits.
        return match[1] if match else value
    if isinstance(value, (list, tuple)):
        return _list_by_name(value)
    return value


def _list_by_name(values: list | tuple) -> object:
    """A list as a dictionary, where its items have names; else a list of comparable items.

    In a dictionary, an item that moves is no change, and one that comes or goes is one change.
    """
    items = [_comparable(item) for item in values]
    if not items:
        return items
    named = [item for item in items if isinstance(item, dict) and "name" in item]
    if len(named) == len(items):
        return {item["name"]: item for item in named}
    if all(_is_pair(item) for item in values):
        return {_comparable(name): role for name, role in values}
    if all(isinstance(item, (str, int, float)) for item in items):
        return {str(item): "" for item in items}
    return items


def _is_pair(item: object) -> bool:
    """Is it a name with what belongs to it?"""
    if not isinstance(item, (list, tuple)) or len(item) != 2:
        return False
    name, value = item
    return isinstance(name, str) and isinstance(value, str)


def describe_changes(differences: Iterable[Change]) -> list[str]:
    """Put changes into words.

    Args:
        differences: The changes.

    Returns:
        A text for each; those of things that came or went in one list are one text, at the end.
    """
    texts: list[str] = []
    items_by_list: dict[tuple[str, ...], list[str]] = {}
    for change in differences:
        if change.is_item():
            sign = "+" if change.old is ABSENT else "-"
            *keys, item = change.path
            items = items_by_list.setdefault(tuple(keys), [])
            items.append(f"{sign} {item}")
        else:
            texts.append(change.words)
    for path, items in items_by_list.items():
        name = ".".join(path)
        texts.append(f"{name} {enumeration(items)}")
    return texts


def describe_code_change(
    old: dict[str, str] | None,
    new: dict[str, str],
) -> str:
    """Say which code changed.

    Args:
        old: Part of the code -> its digest, before; None if it is not known.
        new: The same now. A part is called "training/loss.py mixup", or as its file.

    Returns:
        As in "training/loss.py changed (function mixup)".
    """
    if old is None:
        return "its code changed"
    changed = [name for name in new if old.get(name) != new[name]]
    if not changed:
        # Nothing is new or another one, so something was taken out.
        changed = [name for name in old if name not in new]
    definitions_by_file: dict[str, list[str]] = {}
    for part in changed:
        # As in "training/loss.py mixup"; code outside of definitions has no second word.
        file, _, definition = part.partition(" ")
        definitions = definitions_by_file.setdefault(file, [])
        if definition:
            definitions.append(definition)
    if not definitions_by_file:
        return "its code changed"
    # Of many files their names are enough.
    if len(definitions_by_file) > MOST_NAMES:
        return f"{enumeration(definitions_by_file)} changed"
    texts = []
    for file, definitions in definitions_by_file.items():
        texts.append(_file_words(file, definitions))
    return ", ".join(texts)


def _file_words(
    file: str,
    definitions: list[str],
) -> str:
    """What changed in one file."""
    if not definitions:
        return f"{file} changed"
    names_by_kind: dict[str, list[str]] = {}
    for name in definitions:
        kind = _kind(name)
        names_by_kind.setdefault(kind, []).append(name)
    texts = []
    for kind, names in names_by_kind.items():
        noun = kind
        if len(names) > 1:
            noun = "classes" if kind == "class" else f"{kind}s"
        texts.append(f"{noun} {enumeration(names)}")
    details = ", ".join(texts)
    return f"{file} changed ({details})"


def _kind(name: str) -> str:
    """What a definition of this name is, by the way that names are written."""
    # CONSTANT, ClassName, function_name.
    bare = name.lstrip("_")
    if bare.isupper():
        return "constant"
    return "class" if bare[:1].isupper() else "function"


def enumeration(names: Iterable[str]) -> str:
    """List some names, and say how many more there are.

    Args:
        names: All names.

    Returns:
        As in "a, b, c, d and 3 more".
    """
    all_names = list(names)
    left_out = len(all_names) - MOST_NAMES
    # "and 1 more" would be no shorter than the name itself.
    if left_out <= 1:
        return ", ".join(all_names)
    shown_names = ", ".join(all_names[:MOST_NAMES])
    return f"{shown_names} and {left_out} more"
