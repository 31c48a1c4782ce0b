"""A table of published models, such as the testbed's or timm's results: they are baselines.

It is read without pandas, since planning reads it too.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..datasets.classes import subset
from ..datasets.csv_file import header_of, read_columns
from ..runtime.errors import StockpotError

# A line needs this many models.
MIN_BASELINES = 3
UNITS = {"fraction": 1, "percent": 100}
DEFAULTS = {
    "model": "model",
    "columns": {},
    "unit": "fraction",
}
# An error names at most this many columns.
NAMED_COLUMNS = 12


def read_published_models(
    path: str | Path,
    spec: dict[str, Any],
    reference: str,
    shifts: list[str],
    taken: Iterable[str] = (),
) -> list[tuple[str, str, float]]:
    """Read the accuracies of published models.

    A data set without a column and an empty field are left out: what is not published is not
    measured.

    Args:
        path: A CSV file with a row per model.
        spec: ``model``, the column of names; ``columns``, data set of the study -> column of
            accuracies, by default of the same name; ``unit``, fraction or percent.
        reference: Name of the reference. Restricted to the classes of a shift, it is a data
            set too (see ``datasets.classes.subset``).
        shifts: Names of the shifts.
        taken: Names that the models of the study have.

    Returns:
        (model, data set, accuracy as a fraction) of every published number.

    Raises:
        StockpotError: Names file, column and row of what cannot be an accuracy or a name.
    """
    spec = DEFAULTS | spec
    model_count = len(_read(path, {}))
    if model_count < MIN_BASELINES:
        raise StockpotError(
            f"baselines.table: {path} has {model_count} models, "
            f"but a line needs {MIN_BASELINES} or more"
        )
    columns = _columns(path, spec, reference, shifts)
    # A dict keeps their order, and names each once.
    read_names = dict.fromkeys([spec["model"], *columns.values()], "")
    accuracies = []
    seen = set(taken)
    # Two data sets may share a column, so fields are looked up by its name.
    for _, fields in _read(path, read_names):
        row = dict(zip(read_names, fields))
        name = row[spec["model"]]
        _check_name(path, name, seen)
        seen.add(name)
        for dataset, column in columns.items():
            text = row[column]
            if text:
                value = _accuracy(path, name, column, text, spec["unit"])
                accuracies.append((name, dataset, value))
    return accuracies


def _columns(
    path: str | Path,
    spec: dict[str, Any],
    reference: str,
    shifts: list[str],
) -> dict[str, str]:
    """Data set -> its column in the file, checked."""
    header = [name for name in header_of(Path(path)) if name]
    datasets = [reference, *shifts]
    datasets += [subset(reference, shift) for shift in shifts]
    # A column of the same name is found by itself; the config names the others.
    columns = {name: name for name in datasets if name in header}
    columns |= spec["columns"]
    needed_columns = {"model": spec["model"]}
    needed_columns |= columns
    for what, column in needed_columns.items():
        if column not in header:
            header_text = ", ".join(header[:NAMED_COLUMNS])
            raise StockpotError(
                f"baselines.table: {path} has no column {column!r} (for {what}); there are "
                f"{header_text}"
            )
    has_shift = any(shift in columns for shift in shifts)
    if reference not in columns or not has_shift:
        shifts_text = ", ".join(shifts)
        raise StockpotError(
            f"baselines.table: {path} needs a column for {reference} and one for a shift "
            f"({shifts_text}); baselines.table.columns names them"
        )
    return columns


def _check_name(
    path: str | Path,
    name: str,
    seen: set[str],
) -> None:
    """Refuse a name that is taken, empty, or could be markup."""
    if name in seen:
        wrong = "is the name of another model"
    elif not name or set(name) & set("<>"):
        wrong = "is no name"
    else:
        return
    raise StockpotError(f"baselines.table: {path}: {name!r} {wrong}")


def _read(
    path: str | Path,
    columns: dict[str, str],
) -> list[tuple[int, list[str]]]:
    """Number and fields of every row."""
    try:
        return read_columns(Path(path), columns)
    except StockpotError as error:
        raise StockpotError(f"baselines.table: {error}") from error


def _accuracy(
    path: str | Path,
    name: str,
    column: str,
    text: str,
    unit: str,
) -> float:
    """A field as a fraction."""
    try:
        # float() also reads "nan" and "inf", which the check below refuses.
        value = float(text) / UNITS[unit]
    except ValueError:
        value = float("nan")
    # NaN is refused here too.
    if not 0 <= value <= 1:
        raise StockpotError(
            f"baselines.table: {path}, {name}, {column}: {text!r} is not an accuracy as a {unit}"
        )
    return value
