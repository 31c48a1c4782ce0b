"""What the sources of a user's own files share: labels, classes, and files that are not read.

A source counts the labels of its files (``LabelCounts``). ``classes_of`` makes the classes of them.
``among_answer_classes`` turns the labels into class indices of the data set.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import Any

from ...runtime.errors import StockpotError
from ...runtime.escape import one_line
from ..same_content import counted_digest, listed_file
from . import Entry, Facts, Locate, PrepareSpec
from ._published import read_lines, state_digest

# Words of the option ``classes``: the classes that answers are taken among, see ``UserFiles``.
ALL = "all"
OWN = "own"
Label = str | int  # a name, or a number that a list of classes gives a name


def cached_per_file(read: Callable) -> Callable:
    """Remember what a function reads from a file until the file changes.

    Args:
        read: A function whose first argument is the path of a file.

    Returns:
        The function, which calls ``read`` again when size or time of the file have changed. It
        raises StockpotError where the file cannot be looked at.
    """

    # Size and time are part of the key: a file that changes is read again.
    @cache
    def remembered(
        path: str,
        size: int,
        time: int,
        *arguments: Any,
    ) -> Any:
        """Read the file; size and time only make the key of the cache."""
        return read(Path(path), *arguments)

    @wraps(read)
    def read_if_changed(path: Path, *arguments: Any) -> Any:
        """Read the file unless it was read in this state."""
        try:
            status = path.stat()
        except OSError as error:
            raise StockpotError(f"{one_line(path, 200)}: {error.strerror}") from error
        return remembered(
            str(path),
            status.st_size,
            status.st_mtime_ns,
            *arguments,
        )

    return read_if_changed


def matching_files(path: Path, pattern: str) -> list[Path]:
    """List the files of a source that reads one file or a folder of files.

    Args:
        path: The file or the folder.
        pattern: Glob pattern of the files, relative to the folder.

    Returns:
        The file itself, or those in the folder that fit the pattern, sorted, without hidden ones.
    """
    if not path.is_dir():
        return [path]
    candidates = sorted(path.glob(pattern))
    return [file for file in candidates if not _is_hidden(file.relative_to(path))]


def _is_hidden(path: Path) -> bool:
    return any(name.startswith(".") for name in path.parts)


def file_facts(
    path: Path,
    pattern: str,
    key: str,
) -> Facts:
    """Give the ``facts`` of a source that reads one file or a folder of files.

    Args:
        path: The file or the folder.
        pattern: Glob pattern of the files, relative to the folder.
        key: Key of the entry in the config, for the error.

    Returns:
        "path" -> the path, "files" -> a digest of the state of the files.

    Raises:
        StockpotError: There is no such file.
    """
    files = matching_files(path, pattern)
    if not files or not files[0].is_file():
        raise StockpotError(
            f"{key}.path: no file {one_line(path, 200)}, nor a folder that holds {pattern}"
        )
    digest = state_digest(path.parent, files)
    # Of a file whose date changed without its content, the old digest counts (same_content).
    states = []
    for file in files:
        name = file.relative_to(path.parent).as_posix()
        state = listed_file(name, file, file.stat())
        states.append(state)
    return {"path": str(path), "files": counted_digest(path, states, digest)}


# Classes.


def class_file(entry: Entry) -> str | None:
    """Find the file of class names that an entry gives.

    Args:
        entry: An entry of the config.

    Returns:
        Path of the file as in the config, or None where the entry names no file.
    """
    if entry.get("class_list"):
        return entry["class_list"]
    classes = entry.get("classes")
    if classes in (None, ALL, OWN):
        return None
    return classes


def list_facts(
    entry: Entry,
    locate: Locate,
    key: str,
) -> Facts:
    """Give the ``facts`` of the file of class names.

    Args:
        entry: An entry of the config.
        locate: Turns a path of the config into where the file is.
        key: Key of the entry in the config, for the error.

    Returns:
        The option -> path of the file, "listed" -> the class names; empty where there is no file.

    Raises:
        StockpotError: There is no such file, or two options name one.
    """
    path = class_file(entry)
    if not path:
        return {}
    file = locate(path)
    # class_list is needed where classes is "own"; else classes itself names the file.
    option = "class_list" if entry.get("class_list") else "classes"
    if option == "class_list" and entry.get("classes") not in (None, ALL, OWN):
        raise StockpotError(
            f"{key}.classes: must be all or own if class_list names the file"
        )
    if not file.is_file():
        raise StockpotError(
            f"{key}.{option}: no file {one_line(file, 200)}; it has one class per line"
        )
    return {option: str(file), "listed": class_list(file)}


def class_list(file: Path | str | None) -> list[str] | None:
    """Read the class names that a file lists, one per line.

    Args:
        file: The file, or nothing.

    Returns:
        The names in the order of the file; None where there is no file.

    Raises:
        StockpotError: The file cannot be read, or lists a class twice.
    """
    if not file:
        return None
    shown_file = one_line(file, 200)
    line_of: dict[str, int] = {}  # class -> its number in the list
    for number, line in enumerate(read_lines(Path(file)), 1):
        name = class_name(shown_file, line)
        if name in line_of:
            raise StockpotError(
                f"{shown_file}: the class {name!r} is listed twice "
                f"(as number {line_of[name]} and {number})"
            )
        line_of[name] = number
    return list(line_of)


def class_name(where: str, name: str) -> str:
    """Bring a class name into the one form in which names are compared.

    An accent may be part of its letter or follow it, and systems differ in which they write. The
    form here is the first one, Unicode's NFC.

    Args:
        where: Where the name stands, for the error.
        name: The name as it stands there.

    Returns:
        The name in NFC.

    Raises:
        StockpotError: The name has a character that no text can have.
    """
    # isprintable is quick, and true of nearly every name.
    if not name.isprintable() and any(_is_no_text(letter) for letter in name):
        raise StockpotError(
            f"{where}: the class '{one_line(name, 100)}' has a line break, a control character or "
            "a byte that is not UTF-8 in its name; rename it"
        )
    return unicodedata.normalize("NFC", name)


def _is_no_text(letter: str) -> bool:
    # Controls, surrogates (bytes that are not UTF-8), separators of lines and paragraphs.
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


@dataclass(eq=False)  # so that it can be a key of a cache
class LabelCounts:
    """How often each label occurs, and where it is first.

    Attributes:
        counts: Label -> number of images, in the order in which labels occur first.
        first: Label -> the place where it is first, for errors.
    """

    counts: dict[Label, int] = field(default_factory=dict)
    first: dict[Label, str] = field(default_factory=dict)

    def add(
        self,
        label: Label,
        where: str,
        count: int = 1,
    ) -> None:
        """Add occurrences of a label.

        Args:
            label: The label.
            where: The place where it is; used when the label is new.
            count: How often it occurs.
        """
        if label in self.counts:
            self.counts[label] += count
        else:
            self.counts[label] = count
            self.first[label] = where


def count_labels(labels: Iterable[tuple[str, Label]]) -> LabelCounts:
    """Count labels.

    Args:
        labels: Where each one stands, and the label.

    Returns:
        How often each label occurs.
    """
    counts = LabelCounts()
    for where, label in labels:
        counts.add(label, where)
    return counts


def sum_label_counts(counts: Iterable[LabelCounts]) -> LabelCounts:
    """Add up the label counts of several files.

    Args:
        counts: Those of each file, in the order of the files.

    Returns:
        The sum. The first place of a label is that in the first file that has it.
    """
    return _sum_label_counts(tuple(counts))


@lru_cache(maxsize=16)  # planning asks often
def _sum_label_counts(counts: tuple[LabelCounts, ...]) -> LabelCounts:
    result = LabelCounts()
    for file_counts in counts:
        for label, count in file_counts.counts.items():
            result.add(label, file_counts.first[label], count)
    return result


@dataclass(frozen=True)
class Classes:
    """The classes of a data set.

    Attributes:
        names: Class names, in order.
        counts: Number of images of each class.
        index: Label as in the files -> class index.
    """

    names: list[str]
    counts: list[int]
    index: dict[Label, int]


def classes_of(
    entry: Entry, label_counts: LabelCounts, class_names: list[str] | None
) -> Classes:
    """Find the classes of a data set.

    Args:
        entry: An entry of the config. With ``classes: own`` only classes with images are taken.
        label_counts: All labels of its files.
        class_names: Those that a list or the file names; None where they are the sorted labels.

    Returns:
        The classes with their numbers of images.

    Raises:
        StockpotError: A label is none of the classes; the error names the place where it is first.
    """
    # A tuple, so that it can be a key of the cache below.
    known_names = None if class_names is None else tuple(class_names)
    only_with_images = entry.get("classes") == OWN
    return _classes_of(label_counts, known_names, only_with_images=only_with_images)


@lru_cache(maxsize=16)  # planning asks often
def _classes_of(
    label_counts: LabelCounts,
    known_names: tuple[str, ...] | None,
    *,
    only_with_images: bool,
) -> Classes:
    class_of: dict[Label, str] = {}
    for label, where in label_counts.first.items():
        class_of[label] = _class_of_label(label, where, known_names)
    names_with_images = set(class_of.values())
    names = sorted(names_with_images) if known_names is None else list(known_names)
    _require_known(class_of, names, label_counts)
    # With ``classes: own``, an answer cannot be a class without images.
    if only_with_images:
        names = [name for name in names if name in names_with_images]
    class_index = {name: index for index, name in enumerate(names)}
    counts = [0] * len(names)
    label_index: dict[Label, int] = {}
    for label, name in class_of.items():
        # Two labels may be one class: a number and its name, or two forms of a letter.
        counts[class_index[name]] += label_counts.counts[label]
        label_index[label] = class_index[name]
    return Classes(names, counts, label_index)


def _class_of_label(
    label: Label, where: str, known_names: tuple[str, ...] | None
) -> str:
    """The class name that a label of the files stands for."""
    if isinstance(label, str):
        return class_name(where, label)
    if known_names is None:
        raise StockpotError(
            f"{where}: the label {label} is a number; classes: names a file with one "
            "class per line, in the order of the numbers"
        )
    if not 0 <= label < len(known_names):
        raise StockpotError(
            f"{where}: the label {label} is not 0 to {len(known_names) - 1}"
        )
    return known_names[label]


def _require_known(
    class_of: dict[Label, str], names: list[str], label_counts: LabelCounts
) -> None:
    """Refuse a label whose class is not among the names."""
    known = set(names)
    for label, name in class_of.items():
        if name in known:
            continue
        where = label_counts.first[label]
        shown_label = one_line(label, 100)
        first_names = one_line(", ".join(names[:5]), 200)
        more = ", …" if names[5:] else ""
        raise StockpotError(
            f"{where}: the label '{shown_label}' is none of the "
            f"{len(names)} classes ({first_names}{more})"
        )


def among_answer_classes(
    spec: PrepareSpec, names: list[str], labels: list[int]
) -> tuple[list[str], list[int]]:
    """Express labels in the classes that answers are taken among.

    Args:
        spec: What the data set is made of. Its ``among`` has the classes of the answers, where
            they are not the set's own.
        names: The set's own classes.
        labels: Class index of each image, in ``names``.

    Returns:
        The classes of the answers, and the class index of each image in these.

    Raises:
        StockpotError: A class with images is not among the classes of the answers.
    """
    among = spec.get("among")
    if not among or among == names:
        return names, labels
    answer_index = {name: index for index, name in enumerate(among)}
    names_with_images = {names[label] for label in labels}
    missing = sorted(names_with_images - set(answer_index))
    if missing:
        raise StockpotError(
            f"{spec['name']}: its class '{missing[0]}' is not among the study's {len(among)}"
        )
    # The index of each own class among the classes of the answers;
    # -1 for a class without images that is not among them; no label leads there.
    new_index = [answer_index.get(name, -1) for name in names]
    return list(among), [new_index[label] for label in labels]


# What is not read.


Unused = dict[str, tuple[int, str]]  # kind -> how many, and one of them


def count_unused(files: Iterable[tuple[str, str]]) -> Unused:
    """Count files that are not read.

    Args:
        files: Kind and name of each.

    Returns:
        Kind -> how many there are, and the name of the first.
    """
    counts: Unused = {}
    for kind, name in files:
        count, example = counts.get(kind, (0, name))
        counts[kind] = (count + 1, example)
    return counts


def kind_of(name: str) -> str:
    """Tell the kind of a file by its name.

    Args:
        name: Name of a file, or a path with slashes.

    Returns:
        The suffix in lower case with its dot, "hidden" or "without suffix".
    """
    base = name.rpartition("/")[2]
    if base.startswith("."):
        return "hidden"
    stem, dot, suffix = base.rpartition(".")
    if not dot or not stem:
        return "without suffix"
    return f".{suffix.lower()}"


def unused_beside(path: Path, used: list[Path]) -> Unused:
    """Count what lies in a folder of files, on all levels, and is not read.

    Args:
        path: The folder, or a file.
        used: The files that are read.

    Returns:
        The unused files by kind; empty where the path is a file.
    """
    from ..listing import every_file

    if not path.is_dir():
        return {}
    # Texts compare faster than paths, and a folder may hold a million files.
    used_paths = {str(file) for file in used}
    prefix_length = len(str(path)) + 1
    unused_files = []
    for file in every_file(path):
        if file not in used_paths:
            unused_files.append((kind_of(file), file[prefix_length:]))
    return count_unused(unused_files)
