"""What a zero-shot head is made of: prompts, and the words for each class."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from string import Formatter
from typing import Any

from ..datasets.csv_file import read_columns
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.file_kinds import refuse_stand_in
from ..runtime.regular_files import read_text
from ..runtime.suggest import closest, listed

# Finds the file of a path of the config.
Locate = Callable[[str], Path]

# Characters of a prompt or of a class's text; a tokenizer takes long over a long word.
LONGEST = 10_000


def read_head(
    key: str,
    given: dict[str, Any],
    locate: Locate,
) -> dict[str, Any]:
    """Read the files of a zero-shot head.

    Args:
        key: Key path of the head's section in the config.
        given: The section: prompts, and class_names if it has them.
        locate: Finds a file.

    Returns:
        prompts; texts, class -> words, of the file of names; key, the key path of the names; and
        twice, class -> line, if the file gives a class two different texts.

    Raises:
        StockpotError: If a file cannot be used, with the key and the file.
    """
    prompts = read_prompts(f"{key}.prompts", given["prompts"], locate)
    names = given.get("class_names")
    names_key = f"{key}.class_names"
    rows = []
    if names:
        rows = _rows(names_key, names, locate)
    head = {
        "prompts": prompts,
        "texts": {label: text for _, label, text in rows},
        "key": names_key,
    }
    # No error, as the last text counts; the plan's notes name the line.
    repeated = _given_twice(rows)
    if repeated:
        head["twice"] = repeated
    return head


def texts_of(
    classes: list[str],
    own: dict[str, str],
    head: dict[str, Any],
) -> dict[str, str]:
    """Find the words that stand in the prompts for each class.

    Args:
        classes: The classes.
        own: Class -> words, as the data set says.
        head: What ``read_head`` returns.

    Returns:
        Class -> words: as the head's file says, else as the data set says, else the name with
        spaces for underscores.

    Raises:
        StockpotError: If the head's file names other classes.
    """
    # Letters with accents have two spellings in Unicode; names of classes have this one.
    texts = {}
    for label, text in head["texts"].items():
        name = unicodedata.normalize("NFC", label)
        texts[name] = text
    unknown = sorted(set(texts) - set(classes))
    if unknown:
        message = _unknown_class_message(head["key"], unknown, classes)
        raise StockpotError(message)
    words = {}
    for name in classes:
        # An empty text counts as none.
        text = texts.get(name) or own.get(name)
        if not text:
            text = name.replace("_", " ")
        words[name] = text
    return words


def _unknown_class_message(
    key: str,
    unknown: list[str],
    classes: list[str],
) -> str:
    first = unknown[0]
    hint = ""
    close = closest(first, classes, 1)
    if close:
        shown_close = one_line(close[0], 60)
        hint = f" (did you mean '{shown_close}'?)"
    others = " is"
    other_count = len(unknown) - 1
    if other_count:
        plural = "s" if other_count > 1 else ""
        others = f" and {other_count} other{plural} are"
    return (
        f"{key}: '{one_line(first, 60)}'{hint}{others}"
        f" not among the {len(classes)} classes, which are {listed(classes)}"
    )


def read_names(
    key: str,
    given: str,
    locate: Locate,
) -> dict[str, str]:
    """Read the words for classes.

    Args:
        key: Key path in the config.
        given: Path of a CSV file with the columns class and name.
        locate: Finds a file.

    Returns:
        Class -> words.

    Raises:
        StockpotError: If the file cannot be used.
    """
    rows = _rows(key, given, locate)
    return {label: text for _, label, text in rows}


def _rows(
    key: str,
    given: str,
    locate: Locate,
) -> list[tuple[int, str, str]]:
    """(line, class, text) of the rows that have a text."""
    path = locate(given)
    refuse_stand_in(path, key)
    try:
        rows = read_columns(path, {"class": "", "name": ""})
    except StockpotError as error:
        raise StockpotError(f"{key}: {error}") from error
    for line, (label, text) in rows:
        if len(text) > LONGEST:
            raise StockpotError(
                f"{key}: {path}, line {line}: the text of {one_line(label, 60)} has {len(text):,} "
                f"characters; at most {LONGEST:,} are read"
            )
    return [(line, label, text) for line, (label, text) in rows if text]


def _given_twice(rows: list[tuple[int, str, str]]) -> dict[str, int]:
    """Class -> line of its last text, of classes with two different ones."""
    first_texts: dict[str, str] = {}
    lines = {}
    for line, label, text in rows:
        if first_texts.setdefault(label, text) != text:
            lines[label] = line
    return lines


def read_prompts(
    key: str,
    given: str,
    locate: Locate,
) -> list[str]:
    """Read a file of prompts.

    Args:
        key: Key path in the config.
        given: Path of the file.
        locate: Finds a file.

    Returns:
        Its lines, each with {} where the class goes.

    Raises:
        StockpotError: If the file has other lines, or none.
    """
    path = locate(given)
    refuse_stand_in(path, key)
    text = read_text(path, key)
    lines = [line.strip() for line in text.splitlines()]
    prompts = [line for line in lines if line]
    for prompt in prompts:
        if len(prompt) > LONGEST:
            raise StockpotError(
                f"{key}: a line of {path} has {len(prompt):,} characters; at most {LONGEST:,} are "
                "read"
            )
    for prompt in prompts:
        # One field, without a name and without a format.
        if _fields(prompt) != [""]:
            raise StockpotError(
                f"{key}: '{one_line(prompt, 200)}' in {path} needs one {{}} for the class name, "
                "and no other braces"
            )
    if not prompts:
        raise StockpotError(f"{key}: {path} has no prompts")
    return prompts


def _fields(prompt: str) -> list[str] | None:
    """Names of the fields in braces; None if the braces do not match."""
    try:
        parsed = list(Formatter().parse(prompt))
    except ValueError:
        return None
    fields = []
    for _, name, format_spec, _ in parsed:
        # Text after the last field has no name.
        if name is not None:
            fields.append(name + (format_spec or ""))
    return fields
