"""What a zero-shot head is made of: prompts, and the words for each class."""

import unicodedata
from collections.abc import Callable
from pathlib import Path
from string import Formatter

from ..datasets.csv_file import read_columns
from ..runtime.errors import StockpotError
from ..runtime.escape import one_line
from ..runtime.file_kinds import check_own_content
from ..runtime.regular_files import read_text
from ..runtime.suggest import closest, listed

Locate = Callable[[str], Path]

LONGEST = 10_000  # characters of a prompt or a class's text; a tokenizer takes long over a word


def read_head(key: str, given: dict, locate: Locate) -> dict:
    """prompts, and the texts of classes that a file gives. ``key``: of the config's section.

    twice: class -> line, where the file gives a class two different texts. Raises StockpotError
    naming the key and the file.
    """
    prompts = read_prompts(f"{key}.prompts", given["prompts"], locate)
    names = given.get("names")
    rows = _rows(f"{key}.names", names, locate) if names else []
    texts = {label: text for _, label, text in rows}
    head = {"prompts": prompts, "texts": texts, "key": f"{key}.names"}
    if twice := _twice(rows):
        head["twice"] = twice
    return head


def texts_of(classes: list[str], own: dict[str, str], head: dict) -> dict[str, str]:
    """Class -> what stands in the prompts for it: as the head's file says, else as the data set
    says, else its name with spaces for underscores. StockpotError where the file names others."""
    texts = {
        unicodedata.normalize("NFC", label): text
        for label, text in head["texts"].items()
    }
    unknown = sorted(set(texts) - set(classes))
    if unknown:
        close = closest(unknown[0], classes, 1)
        meant = f" (did you mean '{one_line(close[0], 60)}'?)" if close else ""
        more = len(unknown) - 1
        others = f" and {more} other{'s' * (more > 1)} are" if more else " is"
        raise StockpotError(
            f"{head['key']}: '{one_line(unknown[0], 60)}'{meant}{others}"
            f" not among the {len(classes)} classes, which are {listed(classes)}"
        )
    return {
        name: texts.get(name) or own.get(name) or name.replace("_", " ")
        for name in classes
    }


def read_names(key: str, given: str, locate: Locate) -> dict[str, str]:
    """Class -> text, of a CSV file with the columns class and name."""
    return {label: text for _, label, text in _rows(key, given, locate)}


def _rows(key: str, given: str, locate: Locate) -> list[tuple[int, str, str]]:
    """(line, class, text) of the rows that have a text."""
    path = locate(given)
    check_own_content(path, key)
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


def _twice(rows: list[tuple[int, str, str]]) -> dict[str, int]:
    """Class -> line of its last text, of classes with two different ones."""
    first: dict[str, str] = {}
    twice = {}
    for line, label, text in rows:
        if first.setdefault(label, text) != text:
            twice[label] = line
    return twice


def read_prompts(key: str, given: str, locate: Locate) -> list[str]:
    """The lines of a file, each with {} where the class goes. StockpotError for any other."""
    path = locate(given)
    check_own_content(path, key)
    text = read_text(path, key)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if len(line) > LONGEST:
            raise StockpotError(
                f"{key}: a line of {path} has {len(line):,} characters; at most {LONGEST:,} are "
                "read"
            )
    for line in lines:
        if _fields(line) != [""]:
            raise StockpotError(
                f"{key}: '{one_line(line, 200)}' in {path} needs one {{}} for the class name, and "
                "no other braces"
            )
    if not lines:
        raise StockpotError(f"{key}: {path} has no prompts")
    return lines


def _fields(prompt: str) -> list[str] | None:
    """Names of the fields in braces; None where the braces do not match."""
    try:
        parsed = list(Formatter().parse(prompt))
    except ValueError:
        return None
    return [name + (spec or "") for _, name, spec, _ in parsed if name is not None]
