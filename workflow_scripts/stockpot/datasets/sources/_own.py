"""What the sources of a user's own files have in common."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache, wraps
from pathlib import Path

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..same_content import counted_digest, listed
from ._published import changes, read_lines

ALL, OWN = (
    "all",
    "own",
)  # classes that answers are taken among, see ``OwnFiles.classes``
Label = str | int  # a name, or a number that a list of classes gives a name


def once(read: Callable) -> Callable:
    """Remember what a function reads from a file, its first argument, until the file changes."""

    @cache
    def remembered(path: str, size: int, time: int, *args):
        return read(Path(path), *args)

    @wraps(read)
    def asked(path: Path, *args):
        try:
            stat = path.stat()
        except OSError as error:
            raise StockpotError(f"{one_line(path, 200)}: {error.strerror}") from error
        return remembered(str(path), stat.st_size, stat.st_mtime_ns, *args)

    return asked


def files_of(path: Path, pattern: str) -> list[Path]:
    """The file itself, or those in a folder that have the pattern, sorted; hidden ones are none."""
    if not path.is_dir():
        return [path]
    found = sorted(path.glob(pattern))
    return [file for file in found if not _hidden(file.relative_to(path))]


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def file_facts(path: Path, pattern: str, key: str) -> dict:
    """``facts`` of a file, or a folder of such files."""
    files = files_of(path, pattern)
    if not files or not files[0].is_file():
        raise StockpotError(
            f"{key}.path: no file {one_line(path, 200)}, nor a folder that holds {pattern}"
        )
    digest = changes(path.parent, files)
    states = [
        listed(file.relative_to(path.parent).as_posix(), file, file.stat())
        for file in files
    ]
    return {"path": str(path), "files": counted_digest(path, states, digest)}


# Classes.


def class_file(entry: dict) -> str | None:
    """The file with a class per line that an entry names, if it does."""
    if entry.get("class_list"):
        return entry["class_list"]
    given = entry.get("classes")
    return given if given not in (None, ALL, OWN) else None


def list_facts(entry: dict, locate, key: str) -> dict:
    """What ``facts`` has of the file of classes."""
    if not class_file(entry):
        return {}
    file = locate(class_file(entry))
    option = "class_list" if entry.get("class_list") else "classes"
    if option == "class_list" and entry.get("classes") not in (None, ALL, OWN):
        raise StockpotError(
            f"{key}.classes: is all or own where class_list names the file"
        )
    if not file.is_file():
        raise StockpotError(
            f"{key}.{option}: no file {one_line(file, 200)}; it has one class per line"
        )
    return {option: str(file), "listed": class_list(file)}


def class_list(file: Path | str | None) -> list[str] | None:
    """Names of the classes that a file lists, one per line."""
    if not file:
        return None
    shown, names, seen = one_line(file, 200), [], {}
    for number, line in enumerate(read_lines(Path(file)), 1):
        name = class_name(shown, line)
        if name in seen:
            raise StockpotError(
                f"{shown}: the class {name!r} is listed twice (as number {seen[name]} and {number})"
            )
        seen[name] = number
        names.append(name)
    return names


def class_name(where: str, name: str) -> str:
    """The name in the one form in which names are compared.

    An accent may be part of its letter or follow it, and systems differ in which they write; NFC is
    the first form. Raises StockpotError for a name that no text can have.
    """
    if not name.isprintable() and any(_no_text(letter) for letter in name):
        raise StockpotError(
            f"{where}: the class '{one_line(name, 100)}' has a line break, a control character or "
            "a byte that is not UTF-8 in its name; rename it"
        )
    return unicodedata.normalize("NFC", name)


def _no_text(letter: str) -> bool:
    # Controls, surrogates (bytes that are not UTF-8), separators of lines and paragraphs.
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


@dataclass(eq=False)  # so that it can be a key of a cache
class Tally:
    """How often each label occurs, and where it is first; labels in the order of their places."""

    counts: dict[Label, int] = field(default_factory=dict)
    first: dict[Label, str] = field(default_factory=dict)

    def add(self, label: Label, where: str, n: int = 1) -> None:
        if label in self.counts:
            self.counts[label] += n
        else:
            self.counts[label] = n
            self.first[label] = where


def tally(labels: Iterable[tuple[str, Label]]) -> Tally:
    """Count labels. labels: where each one stands, and the label."""
    found = Tally()
    for where, label in labels:
        found.add(label, where)
    return found


def total(tallies: Iterable[Tally]) -> Tally:
    """Several tallies in one."""
    return _total(tuple(tallies))


@lru_cache(maxsize=16)
def _total(tallies: tuple[Tally, ...]) -> Tally:
    found = Tally()
    for part in tallies:
        for label, n in part.counts.items():
            found.add(label, part.first[label], n)
    return found


@dataclass(frozen=True)
class Classes:
    """names: of the set's classes, in order; counts: images of each; row: label -> its class."""

    names: list[str]
    counts: list[int]
    row: dict[Label, int]


def classes_of(entry: dict, found: Tally, listed: list[str] | None) -> Classes:
    """The classes of a set: those that a list or the file names, or else the sorted labels.

    With ``classes: own`` those of them that have images. Raises StockpotError for a label that is
    none of the classes, with the place where it is first.
    """
    known = None if listed is None else tuple(listed)
    return _classes_of(entry.get("classes") == OWN, found, known)


@lru_cache(maxsize=16)  # planning asks often
def _classes_of(own: bool, found: Tally, listed: tuple[str, ...] | None) -> Classes:
    named = {}  # label -> class
    for label, where in found.first.items():
        if isinstance(label, str):
            named[label] = class_name(where, label)
        elif listed is None:
            raise StockpotError(
                f"{where}: the label {label} is a number; classes: names a file with one "
                "class per line, in the order of the numbers"
            )
        elif not 0 <= label < len(listed):
            raise StockpotError(
                f"{where}: the label {label} is not 0 to {len(listed) - 1}"
            )
        else:
            named[label] = listed[label]
    names = sorted(set(named.values())) if listed is None else list(listed)
    known = set(names)
    wrong = [label for label, name in named.items() if name not in known]
    if wrong:
        raise StockpotError(
            f"{found.first[wrong[0]]}: the label '{one_line(wrong[0], 100)}' is none of the "
            f"{len(names)} classes ({one_line(', '.join(names[:5]), 200)}"
            f"{', …' if names[5:] else ''})"
        )
    if own:
        there = set(named.values())
        names = [name for name in names if name in there]
    place = {name: row for row, name in enumerate(names)}
    counts = [0] * len(names)
    for label, name in named.items():
        counts[place[name]] += found.counts[label]
    return Classes(names, counts, {label: place[name] for label, name in named.items()})


def answered(
    spec: dict, names: list[str], labels: list[int]
) -> tuple[list[str], list[int]]:
    """The classes that answers are taken among, and the labels as places in them.

    spec: has the classes under ``among``, where they are not the set's own.
    """
    among = spec.get("among")
    if not among or among == names:
        return names, labels
    place = {name: row for row, name in enumerate(among)}
    missing = sorted({names[label] for label in labels} - set(place))
    if missing:
        raise StockpotError(
            f"{spec['name']}: its class '{missing[0]}' is not among the study's {len(among)}"
        )
    row = [place.get(name, -1) for name in names]
    return list(among), [row[label] for label in labels]


# What is not read.


Unused = dict[str, tuple[int, str]]  # kind -> how many, and one of them


def count_unused(files: Iterable[tuple[str, str]]) -> Unused:
    """Count what is not read. files: kind and name of each."""
    found = {}
    for kind, name in files:
        n, first = found.get(kind, (0, name))
        found[kind] = (n + 1, first)
    return found


def kind_of(name: str) -> str:
    """The kind that a file's name says."""
    base = name.rpartition("/")[2]
    if base.startswith("."):
        return "hidden"
    stem, dot, suffix = base.rpartition(".")
    return f".{suffix.lower()}" if dot and stem else "without suffix"


def unused_beside(path: Path, used: list[Path]) -> Unused:
    """What lies in a folder of files, all levels, and is not read; {} where the path is a file."""
    from ..listing import every_file

    if not path.is_dir():
        return {}
    known = {str(file) for file in used}
    others = [name for name in every_file(path) if name not in known]
    return count_unused((kind_of(name), name[len(str(path)) + 1 :]) for name in others)
