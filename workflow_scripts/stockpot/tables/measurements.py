"""The tables of a study: measurements, effective robustness, and an overview to read."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..datasets.classes import subset
from ..runtime.atomic_files import atomic
from ..statistics.intervals import clopper_pearson, mean_interval, tails
from ..statistics.robustness import (
    effective_robustness,
    effective_robustness_interval,
    fit_line,
    inside,
    resampled_lines,
    split,
    transforms,
)
from .escape import from_spreadsheet, spreadsheet
from .published_models import LEAST
from .table_files import check_table, seal_table

BASELINE = "from-scratch"
MEAN = "shifts"
ACCURACY, MEAN_OF = (
    "accuracy",
    "mean",
)  # metrics; the second that of sets with several metrics
SUBSET = "subset"
# Reading order. A kind that is not listed comes after these, by name.
KINDS = (
    "zero-shot",
    "linear-classifier",
    "linear-search",
    "end-to-end",
    "wise-ft",
    "uniform",
    "greedy",
    "logit-ensemble",
    BASELINE,
)
KEY = ["model", "kind", "curve", "alpha"]
COLUMNS = [
    *KEY,
    "dataset",
    "role",
    "metric",
    "value",
    "n",
    "k",
    "low",
    "high",
    "interval",
    "chance",
    "precision",
]


def read_table(path: str | Path) -> pd.DataFrame:
    """Read one of these tables from CSV: an empty ``curve`` is "", an empty number is NaN."""
    check_table(path)
    text = dict.fromkeys(("model", "kind", "curve", "dataset", "role"), str)
    table = _each_text(
        pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""]),
        from_spreadsheet,
    )
    return table.fillna({"curve": ""}) if "curve" in table else table


def write_table(
    table: pd.DataFrame, path: str | Path, float_format: str | None = None
) -> None:
    """Write a table as CSV, whole or not at all, to be checked when it is read.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, which
    ``read_table`` takes away again.
    """
    safe = _each_text(table, _cell)
    with atomic(path) as temporary:
        safe.to_csv(
            temporary, index=False, lineterminator="\n", float_format=float_format
        )
    seal_table(path)


def _cell(value: object) -> object:
    """A value as a cell: a carriage return, which CSV does not quote, would end its row."""
    if isinstance(value, str) and "\r" in value:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return spreadsheet(value)


def _each_text(table: pd.DataFrame, change: Callable) -> pd.DataFrame:
    """The table with every text in it, and every name of a column, changed; numbers as they are."""
    result = table.copy()
    for place in range(len(table.columns)):
        if pd.api.types.is_numeric_dtype(table.dtypes.iloc[place]):
            continue
        before = list(table.iloc[:, place])
        after = [change(value) for value in before]
        if any(new is not old for new, old in zip(after, before)):
            result.isetitem(place, pd.Series(after, table.index, dtype=object))
    return result.set_axis([change(name) for name in table.columns], axis="columns")


def measure(
    cells: pd.DataFrame, roles: dict[str, str], confidence: float
) -> pd.DataFrame:
    """The measurements table: a row per model and data set, and per mean over the shifts.

    cells: columns model, kind, curve, alpha, dataset, n, k, classes, precision, in any order, and
    metric where it is not that of the other rows of its data set, or accuracy. Without k, where
    the metric counts nothing, value, low and high; of a published model, whose n nobody knows, the
    value alone (then there is no interval).
    roles: data set -> held-out, corrupted, reference, subset or shift, in the order in which to
    list them. The unweighted mean (dataset "shifts", role "mean", n the total, k missing) is
    there for every model that has all shifts. chance is the accuracy of guessing, 1 / classes;
    precision that of the forward pass. ValueError for a data set without a role, and for two
    rows of one cell.
    """
    unknown = sorted(set(cells["dataset"]) - set(roles))
    if unknown or MEAN in roles:
        raise ValueError(
            f"data sets without a role: {unknown}; {MEAN!r} is not free as a name"
        )
    table = cells.assign(
        curve=cells["curve"].fillna(""), role=cells["dataset"].map(roles)
    )
    counts = table["k"] / table["n"]
    missing = pd.Series(np.nan, table.index)
    metric = table.get("metric", missing.astype(object))
    known = metric.groupby(table["dataset"]).transform("first")
    table = table.assign(
        metric=metric.fillna(known).fillna(ACCURACY),
        value=counts.fillna(table.get("value", missing)),
        low=table.get("low", missing),
        high=table.get("high", missing),
    )
    table = table.assign(chance=1 / table["classes"])
    twice = table[table.duplicated([*KEY, "dataset"])]
    if len(twice):
        raise ValueError(
            f"measured twice: {twice[[*KEY, 'dataset']].iloc[0].to_dict()}"
        )
    counted, resampled = table["k"].notna(), table["k"].isna() & table["n"].notna()
    low, high = clopper_pearson(
        table.loc[counted, "k"], table.loc[counted, "n"], confidence
    )
    table.loc[counted, "low"], table.loc[counted, "high"] = low, high
    table["interval"] = np.select(
        [counted, resampled], ["Clopper-Pearson", "bootstrap"], "not known"
    )
    table = pd.concat([table, _means(table, roles, confidence)], ignore_index=True)

    kinds = [*KINDS, *sorted(set(table["kind"]) - set(KINDS))]
    ranks = {"kind": kinds, "dataset": [*roles, MEAN]}
    table = table.sort_values(
        ["kind", "curve", "alpha", "model", "dataset"],
        key=lambda column: (
            column.map(ranks[column.name].index) if column.name in ranks else column
        ),
        ignore_index=True,
    )
    return table.astype({"n": "Int64", "k": "Int64", "alpha": "float64"})[COLUMNS]


def published_cells(found: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Cells of published models for ``measure``; found: see ``cloud.read_cloud``."""
    table = pd.DataFrame(found, columns=["model", "dataset", "value"])
    return table.assign(kind=BASELINE, curve="", alpha=None)


def _means(
    table: pd.DataFrame, roles: dict[str, str], confidence: float
) -> pd.DataFrame:
    shifts = {dataset for dataset, role in roles.items() if role == "shift"}
    rows = []
    for key, group in table[table["role"] == "shift"].groupby(KEY, dropna=False):
        if set(group["dataset"]) == shifts:
            group = group.sort_values("dataset")
            if group["n"].isna().any():
                interval, method = (np.nan, np.nan), "not known"
            elif len(group) == 1:
                interval = (group["low"].iloc[0], group["high"].iloc[0])
                method = group["interval"].iloc[0]
            else:
                n = _examples(group, confidence)
                interval = mean_interval(group["value"] * n, n, confidence)
                method = "stratified bootstrap"
            n = group["n"].sum(skipna=False)
            metric = ACCURACY if (group["metric"] == ACCURACY).all() else MEAN_OF
            rows.append(
                [
                    *key,
                    MEAN,
                    "mean",
                    metric,
                    group["value"].mean(),
                    n,
                    None,
                    *interval,
                    method,
                    group["chance"].mean(),
                    group["precision"].iloc[0],
                ]
            )
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"alpha": "float64", "k": "Int64"}
    )


def _examples(table: pd.DataFrame, confidence: float) -> np.ndarray:
    """[rows]: n, and of what is no count, how many examples a count with such an interval has."""
    value, low, high, n = (
        table[c].to_numpy(float) for c in ("value", "low", "high", "n")
    )
    error = (high - low) / (2 * ndtri(tails(confidence)[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        equivalent = value * (1 - value) / error**2
    resampled = (table["interval"] == "bootstrap").to_numpy() & np.isfinite(equivalent)
    return np.maximum(1, np.round(np.where(resampled, equivalent, n)))


def datasets(measurements: pd.DataFrame, *roles: str) -> list[str]:
    """Names of the data sets with these roles: by role, then in the table's order."""
    names = measurements[["role", "dataset"]].drop_duplicates()
    return [
        name for role in roles for name in names.loc[names["role"] == role, "dataset"]
    ]


def reference(measurements: pd.DataFrame) -> str:
    """Name of the reference set. ValueError unless there is exactly one."""
    names = datasets(measurements, "reference")
    if len(names) != 1:
        raise ValueError(f"need exactly one reference set, got {names}")
    return names[0]


def pairs(measurements: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One row per model measured on both: its accuracy on ``dataset`` and on the reference.

    Where the table has the reference restricted to the classes of the data set, on that.
    Columns: KEY; value, n, low, high, chance of the data set; reference, the name of what it is
    drawn against; reference_value, reference_n, ...
    """
    numbers = ["value", "n", "low", "high"]
    whole = reference(measurements)
    part = subset(whole, dataset)
    against = part if (measurements["dataset"] == part).any() else whole
    x = measurements.loc[measurements["dataset"] == against, [*KEY, *numbers]]
    y = measurements.loc[measurements["dataset"] == dataset, [*KEY, *numbers, "chance"]]
    x = x.rename(columns={name: f"reference_{name}" for name in numbers})
    return y.merge(x.assign(reference=against), on=KEY)


def robustness_table(
    measurements: pd.DataFrame,
    axis: str,
    confidence: float,
    knots: dict[str, list[float]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines of the baseline models and effective robustness, per shift and for their mean.

    Lines go through the models of kind "from-scratch"; on a data set with ``knots`` (reference
    accuracies), through those of each piece by themselves. Returns two tables. fits: dataset,
    start, end (reference accuracies between which it holds), slope, intercept, r, n, axis,
    confidence (at which figures draw the band). rho: model, kind, curve, alpha, dataset, rho,
    low, high, as fractions; low and high are a joint interval: of the accuracy under shift, the
    reference accuracy and the line (see ``effective_robustness_interval``), missing where an n
    is. There are no rows where a piece has fewer than three baseline models, or only models of
    one reference accuracy. A baseline model at 0 or 1 with unknown n has no place on a logit or
    probit axis, and is no part of that line nor of the line of the mean.
    """
    fits, rho, left_out = [], [], placeless(measurements, axis)
    for dataset in datasets(measurements, "shift", "mean"):
        table = pairs(measurements, dataset)
        x = inside(table["reference_value"], table["reference_n"], axis)
        y = inside(table["value"], table["n"], axis)
        forward, _ = transforms(axis)
        with np.errstate(divide="ignore"):
            placed = np.isfinite(forward(x)) & np.isfinite(forward(y))
        if dataset == MEAN:
            placed &= ~table["model"].isin(left_out)
        baseline = (table["kind"] == BASELINE).to_numpy() & placed
        for start, end, here in split(x, (knots or {}).get(dataset, ())):
            part = baseline & here
            if part.sum() < LEAST or np.ptp(x[part]) == 0:
                continue
            line = fit_line(x[part], y[part], axis)
            fits.append(
                [
                    dataset,
                    start,
                    end,
                    line.slope,
                    line.intercept,
                    line.r,
                    line.n,
                    axis,
                    confidence,
                ]
            )
            lines = resampled_lines(x[part], y[part], axis=axis)
            intervals = [
                effective_robustness_interval(lines, *sampled, confidence, axis=axis)
                for sampled in _sampled(measurements, table[here], dataset, confidence)
            ]
            low, high = zip(*intervals)
            above = effective_robustness(line, x[here], table.loc[here, "value"])
            rho.append(
                table.loc[here, KEY].assign(
                    dataset=dataset, rho=above, low=low, high=high
                )
            )
    names = [
        "dataset",
        "start",
        "end",
        "slope",
        "intercept",
        "r",
        "n",
        "axis",
        "confidence",
    ]
    none = pd.DataFrame(columns=[*KEY, "dataset", "rho", "low", "high"])
    return pd.DataFrame(fits, columns=names), pd.concat(
        rho or [none], ignore_index=True
    )


def placeless(measurements: pd.DataFrame, axis: str) -> set[str]:
    """Baseline models that are at 0 or 1 on some shift, and nobody knows of how many images."""
    end = (
        measurements["value"].isin([0, 1])
        & measurements["n"].isna()
        & (axis != "linear")
    )
    there = end & (measurements["kind"] == BASELINE) & (measurements["role"] == "shift")
    return set(measurements.loc[there, "model"])


def _sampled(
    measurements: pd.DataFrame, table: pd.DataFrame, dataset: str, confidence: float
) -> list[tuple]:
    """Per row of ``pairs``: (value, n) on the reference, (values, n) of the sets of ``dataset``."""
    measurements = measurements[measurements["role"] != "mean"]
    measurements = measurements.assign(n=_examples(measurements, confidence))
    sets = datasets(measurements, "shift") if dataset == MEAN else [dataset]
    rows = measurements[measurements["dataset"].isin(sets)].sort_values("dataset")
    sets = rows.groupby(KEY, dropna=False)[["value", "n"]].agg(list).reset_index()
    against = table["reference"].iloc[0]
    x = measurements.loc[measurements["dataset"] == against, [*KEY, "value", "n"]]
    x = x.rename(columns={"value": "reference_value", "n": "reference_n"})
    rows = table[KEY].merge(x, on=KEY, how="left").merge(sets, on=KEY, how="left")
    return [
        ((row.reference_value, row.reference_n), (row.value, row.n))
        for row in rows.itertuples()
    ]
