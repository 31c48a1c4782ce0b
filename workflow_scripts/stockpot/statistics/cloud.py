"""The baseline cloud from a table of published models, as the testbed's or timm's results."""

from pathlib import Path

import pandas as pd

from ..errors import StockpotError
from .tables import BASELINE

UNITS = {"fraction": 1, "percent": 100}


def read_cloud(path: str | Path, spec: dict, datasets: list[str]) -> pd.DataFrame:
    """Cells of published models: columns model, kind, curve, alpha, dataset, value.

    path: a CSV with a row per model. spec: ``model``, the column of names; ``columns``, data set
    of the study -> column of accuracies, by default of the same name; ``unit``, fraction or
    percent. datasets: the reference and the shifts. A data set without a column and an empty
    field are left out: what is not published is not measured. Raises StockpotError naming file,
    column and row for what cannot be an accuracy.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise StockpotError(f"standard.table: cannot read {path} as CSV ({error})") from error
    reference, *shifts = datasets
    columns = {name: name for name in datasets if name in table} | spec["columns"]
    for what, column in {"model": spec["model"], **columns}.items():
        if column not in table:
            raise StockpotError(
                f"standard.table: {path} has no column {column!r} (for {what}); there are "
                f"{', '.join(table.columns[:12])}"
            )
    if reference not in columns or not set(shifts) & set(columns):
        raise StockpotError(
            f"standard.table: {path} needs a column for {reference} and one for a shift "
            f"({', '.join(shifts)}); standard.table.columns names them"
        )
    names, rows = table[spec["model"]], []
    if twice := sorted(set(names[names.duplicated()])):
        raise StockpotError(f"standard.table: {path} has the model {twice[0]!r} twice")
    for dataset, column in columns.items():
        for name, text in zip(names, table[column]):
            if text.strip():
                value = _accuracy(path, name, column, text, spec["unit"])
                rows.append([name, BASELINE, "", None, dataset, value])
    return pd.DataFrame(rows, columns=["model", "kind", "curve", "alpha", "dataset", "value"])


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
