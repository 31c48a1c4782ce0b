"""A table of published models, as the testbed's or timm's results: the cloud of the baseline.

Read without pandas, since planning reads it too.
"""

from pathlib import Path

from ..datasets.classes import subset
from ..datasets.csv_file import header_of, read_columns
from ..runtime.errors import StockpotError

LEAST = 3  # models that a line needs
UNITS = {"fraction": 1, "percent": 100}
DEFAULTS = {"model": "model", "columns": {}, "unit": "fraction"}


def read_cloud(
    path: str | Path,
    spec: dict,
    reference: str,
    shifts: list[str],
    taken: list[str] = (),
) -> list[tuple[str, str, float]]:
    """(model, data set, accuracy as a fraction) of every published number.

    path: a CSV with a row per model. spec: ``model``, the column of names; ``columns``, data set
    of the study -> column of accuracies, by default of the same name; ``unit``, fraction or
    percent. The reference restricted to the classes of a shift is a data set too (see
    ``datasets.classes.subset``). A data set without a column and an empty field are left out: what
    is not published is not measured. taken: names that the models of the study have. Raises
    StockpotError naming file, column and row for what cannot be an accuracy or a name.
    """
    spec = DEFAULTS | spec
    models = len(_read(path, {}))
    if models < LEAST:
        raise StockpotError(
            f"standard.table: {path} has {models} models, but a line needs {LEAST} or more"
        )
    there = [name for name in header_of(Path(path)) if name]
    known = [reference, *shifts, *(subset(reference, shift) for shift in shifts)]
    columns = {name: name for name in known if name in there} | spec["columns"]
    for what, column in {"model": spec["model"], **columns}.items():
        if column not in there:
            raise StockpotError(
                f"standard.table: {path} has no column {column!r} (for {what}); there are "
                f"{', '.join(there[:12])}"
            )
    if reference not in columns or not set(shifts) & set(columns):
        raise StockpotError(
            f"standard.table: {path} needs a column for {reference} and one for a shift "
            f"({', '.join(shifts)}); standard.table.columns names them"
        )
    found, seen = [], set(taken)
    wanted = list(dict.fromkeys([spec["model"], *columns.values()]))
    for _, fields in _read(path, dict.fromkeys(wanted, "")):
        row = dict(zip(wanted, fields))
        name = row[spec["model"]]
        wrong = "is the name of another model" if name in seen else ""
        wrong = wrong or ("is no name" if not name or set(name) & set("<>") else "")
        if wrong:
            raise StockpotError(f"standard.table: {path}: {name!r} {wrong}")
        seen.add(name)
        for dataset, column in columns.items():
            if row[column]:
                value = _accuracy(path, name, column, row[column], spec["unit"])
                found.append((name, dataset, value))
    return found


def _read(path: str | Path, columns: dict[str, str]) -> list[tuple[int, list[str]]]:
    try:
        return read_columns(Path(path), columns)
    except StockpotError as error:
        raise StockpotError(f"standard.table: {error}") from error


def _accuracy(path, name: str, column: str, text: str, unit: str) -> float:
    try:
        value = float(text) / UNITS[unit]
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise StockpotError(
            f"standard.table: {path}, {name}, {column}: {text!r} is not an accuracy as a {unit}"
        )
    return value
