"""What a zero-shot head is made of: prompts, and the words for each class."""

import csv
from collections.abc import Callable
from pathlib import Path
from string import Formatter

from .errors import StockpotError

Locate = Callable[[str], Path]


def read_head(key: str, given: dict, locate: Locate) -> dict:
    """prompts, and the texts of classes that a file gives. ``key``: of the config's section.

    Raises StockpotError naming the key and the file.
    """
    prompts = read_prompts(f"{key}.prompts", given["prompts"], locate)
    names = given.get("names")
    texts = read_names(f"{key}.names", names, locate) if names else {}
    return {"prompts": prompts, "texts": texts, "key": f"{key}.names"}


def texts_of(classes: list[str], own: dict[str, str], head: dict) -> dict[str, str]:
    """Class -> what stands in the prompts for it: as the head's file says, else as the data set
    says, else its name with spaces for underscores. StockpotError where the file names others."""
    unknown = sorted(set(head["texts"]) - set(classes))
    if unknown:
        raise StockpotError(
            f"{head['key']}: '{unknown[0]}' is not among the {len(classes)} classes, which are "
            f"{', '.join(classes[:5])}{', …' if classes[5:] else ''}"
        )
    return {name: head["texts"].get(name) or own.get(name) or name.replace("_", " ")
            for name in classes}  # fmt: skip


def read_names(key: str, given: str, locate: Locate) -> dict[str, str]:
    """Class -> text, of a CSV file with the columns class and name."""
    path = locate(given)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"class", "name"} - set(reader.fieldnames or [])
            if missing:
                raise ValueError(f"it has no column {', '.join(sorted(missing))}")
            found = {row["class"]: (row["name"] or "").strip() for row in reader}
            return {label: text for label, text in found.items() if text}
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise StockpotError(f"{key}: cannot read {path} ({error})") from error


def read_prompts(key: str, given: str, locate: Locate) -> list[str]:
    path = locate(given)
    try:
        lines = [line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise StockpotError(f"{key}: cannot read {path} ({why})") from error
    for line in lines:
        if _fields(line) != [""]:
            raise StockpotError(
                f"{key}: '{line}' in {path} needs one {{}} for the class name, and no other braces"
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
