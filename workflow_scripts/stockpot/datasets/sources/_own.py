"""What the sources of a user's own files have in common."""

from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path

from ...errors import StockpotError
from ._published import changes, read_lines

Found = tuple[str, str | int]  # where a label stands, and the label: a name, or a number


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
            raise StockpotError(f"{path}: {error.strerror}") from error
        return remembered(str(path), stat.st_size, stat.st_mtime_ns, *args)

    return asked


def files_of(path: Path, pattern: str) -> list[Path]:
    """The file itself, or those in a folder that have the pattern, sorted."""
    return sorted(path.glob(pattern)) if path.is_dir() else [path]


def file_facts(path: Path, pattern: str, key: str) -> dict:
    """``facts`` of a file, or a folder of such files."""
    files = files_of(path, pattern)
    if not files or not files[0].is_file():
        raise StockpotError(f"{key}.path: no file {path}, nor a folder that holds {pattern}")
    return {"path": str(path), "files": changes(path.parent, files)}


def list_facts(entry: dict, locate, key: str) -> dict:
    """What ``facts`` has of the option ``classes``, a file with a class per line."""
    if not entry.get("classes"):
        return {}
    file = locate(entry["classes"])
    if not file.is_file():
        raise StockpotError(f"{key}.classes: no file {file}; it has one class per line")
    return {"classes": str(file), "listed": class_list(file)}


def class_list(file: Path | str | None) -> list[str] | None:
    return read_lines(Path(file)) if file else None


def names_of(found: list[Found], names: list[str] | None) -> list[str]:
    """The classes: those that are known, or else the sorted labels, if these are names."""
    if names is None:
        for where, label in found:
            if isinstance(label, int):
                raise StockpotError(
                    f"{where}: the label {label} is a number; classes: names a file with one "
                    "class per line, in the order of the numbers"
                )
        names = sorted({label for _, label in found})
    twice = sorted({name for name in names if names.count(name) > 1}) if names else []
    if twice:
        raise StockpotError(f"the class {twice[0]!r} is listed twice")
    return names


def places_of(found: list[Found], names: list[str]) -> list[int]:
    """Each label as the place of its class."""
    place = {name: row for row, name in enumerate(names)}
    for where, label in found:
        if isinstance(label, int) and not 0 <= label < len(names):
            raise StockpotError(f"{where}: the label {label} is not 0 to {len(names) - 1}")
        if isinstance(label, str) and label not in place:
            raise StockpotError(
                f"{where}: the label {label!r} is none of the {len(names)} classes "
                f"({', '.join(names[:5])}{', …' if names[5:] else ''})"
            )
    return [place[label] if isinstance(label, str) else label for _, label in found]


def per_class(labels: list[int], names: list[str]) -> list[int]:
    counts = [0] * len(names)
    for label in labels:
        counts[label] += 1
    return counts
