"""The tables of a study: measurements, effective robustness, and an overview to read."""

from pathlib import Path

import numpy as np
import pandas as pd

from .intervals import clopper_pearson, mean_interval
from .robustness import (
    effective_robustness,
    effective_robustness_interval,
    fit_line,
    inside,
    resampled_lines,
)

BASELINE = "from-scratch"
LEAST = 3  # models that a line needs
MEAN = "shifts"
# Reading order. A kind that is not listed comes after these, by name.
KINDS = (
    "zero-shot", "linear-classifier", "linear-search", "end-to-end", "wise-ft",
    "uniform", "greedy", "logit-ensemble", BASELINE,
)  # fmt: skip
KEY = ["model", "kind", "curve", "alpha"]
COLUMNS = [
    *KEY, "dataset", "role", "metric", "value", "n", "k", "low", "high", "interval", "chance",
    "precision",
]  # fmt: skip


def read_table(path: str | Path) -> pd.DataFrame:
    """Read one of these tables from CSV: an empty ``curve`` is "", an empty number is NaN."""
    text = dict.fromkeys(("model", "kind", "curve", "dataset", "role"), str)
    table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])
    return table.fillna({"curve": ""}) if "curve" in table else table


def measure(cells: pd.DataFrame, roles: dict[str, str], confidence: float) -> pd.DataFrame:
    """The measurements table: a row per model and data set, and per mean over the shifts.

    cells: columns model, kind, curve, alpha, dataset, n, k, classes, precision, in any order.
    roles: data set -> held-out, reference or shift, in the order in which to list them. The
    unweighted mean (dataset "shifts", role "mean", n the total, k missing) is there for every
    model that has all shifts. chance is the accuracy of guessing, 1 / classes; precision that
    of the forward pass. ValueError for a data set without a role, and for two rows of one cell.
    """
    unknown = sorted(set(cells["dataset"]) - set(roles))
    if unknown or MEAN in roles:
        raise ValueError(f"data sets without a role: {unknown}; {MEAN!r} is not free as a name")
    table = cells.assign(curve=cells["curve"].fillna(""), role=cells["dataset"].map(roles))
    table = table.assign(metric="accuracy", value=table["k"] / table["n"])
    table = table.assign(chance=1 / table["classes"])
    twice = table[table.duplicated([*KEY, "dataset"])]
    if len(twice):
        raise ValueError(f"measured twice: {twice[[*KEY, 'dataset']].iloc[0].to_dict()}")
    table["low"], table["high"] = clopper_pearson(table["k"], table["n"], confidence)
    table["interval"] = "Clopper-Pearson"
    table = pd.concat([table, _means(table, roles, confidence)], ignore_index=True)

    kinds = [*KINDS, *sorted(set(table["kind"]) - set(KINDS))]
    ranks = {"kind": kinds, "dataset": [*roles, MEAN]}
    table = table.sort_values(
        ["kind", "curve", "alpha", "model", "dataset"],
        key=lambda column: column.map(ranks[column.name].index) if column.name in ranks else column,
        ignore_index=True,
    )
    return table.astype({"n": "int64", "k": "Int64", "alpha": "float64"})[COLUMNS]


def _means(table: pd.DataFrame, roles: dict[str, str], confidence: float) -> pd.DataFrame:
    shifts = {dataset for dataset, role in roles.items() if role == "shift"}
    rows = []
    for key, group in table[table["role"] == "shift"].groupby(KEY, dropna=False):
        if set(group["dataset"]) == shifts:
            group = group.sort_values("dataset")
            if len(group) == 1:
                interval, method = (group["low"].iloc[0], group["high"].iloc[0]), "Clopper-Pearson"
            else:
                interval = mean_interval(group["k"], group["n"], confidence)
                method = "stratified bootstrap"
            rows.append([*key, MEAN, "mean", "accuracy", group["value"].mean(), group["n"].sum(),
                         None, *interval, method,
                         group["chance"].mean(), group["precision"].iloc[0]])  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).astype({"alpha": "float64", "k": "Int64"})


def datasets(measurements: pd.DataFrame, *roles: str) -> list[str]:
    """Names of the data sets with these roles: by role, then in the table's order."""
    names = measurements[["role", "dataset"]].drop_duplicates()
    return [name for role in roles for name in names.loc[names["role"] == role, "dataset"]]


def reference(measurements: pd.DataFrame) -> str:
    """Name of the reference set. ValueError unless there is exactly one."""
    names = datasets(measurements, "reference")
    if len(names) != 1:
        raise ValueError(f"need exactly one reference set, got {names}")
    return names[0]


def pairs(measurements: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One row per model measured on both: its accuracy on ``dataset`` and on the reference.

    Columns: KEY; value, n, low, high, chance of the data set; reference_value, reference_n, ...
    """
    numbers = ["value", "n", "low", "high"]
    x = measurements.loc[measurements["dataset"] == reference(measurements), [*KEY, *numbers]]
    y = measurements.loc[measurements["dataset"] == dataset, [*KEY, *numbers, "chance"]]
    return y.merge(x.rename(columns={name: f"reference_{name}" for name in numbers}), on=KEY)


def robustness_table(
    measurements: pd.DataFrame, axis: str, confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lines of the baseline models and effective robustness, per shift and for their mean.

    Lines go through the models of kind "from-scratch". Returns two tables. fits: dataset,
    slope, intercept, r, n, axis, confidence (at which figures draw the band). rho: model,
    kind, curve, alpha, dataset, rho, low, high, as fractions; low and high are a joint
    interval: of the accuracy under shift, the reference accuracy and the line (see
    ``effective_robustness_interval``). A data set has no rows where fewer than three baseline
    models, or only models of one reference accuracy, are measured on it.
    """
    fits, rho = [], []
    for dataset in datasets(measurements, "shift", "mean"):
        table = pairs(measurements, dataset)
        x = inside(table["reference_value"], table["reference_n"], axis)
        y = inside(table["value"], table["n"], axis)
        baseline = (table["kind"] == BASELINE).to_numpy()
        if baseline.sum() >= LEAST and np.ptp(x[baseline]) > 0:
            line = fit_line(x[baseline], y[baseline], axis)
            fits.append([dataset, line.slope, line.intercept, line.r, line.n, axis, confidence])
            lines = resampled_lines(x[baseline], y[baseline], axis=axis)
            intervals = [
                effective_robustness_interval(lines, *sampled, confidence, axis=axis)
                for sampled in _sampled(measurements, table, dataset)
            ]
            low, high = zip(*intervals)
            above = effective_robustness(line, x, table["value"])
            rho.append(table[KEY].assign(dataset=dataset, rho=above, low=low, high=high))
    names = ["dataset", "slope", "intercept", "r", "n", "axis", "confidence"]
    none = pd.DataFrame(columns=[*KEY, "dataset", "rho", "low", "high"])
    return pd.DataFrame(fits, columns=names), pd.concat(rho or [none], ignore_index=True)


def _sampled(measurements: pd.DataFrame, table: pd.DataFrame, dataset: str) -> list[tuple]:
    """Per row of ``pairs``: (value, n) on the reference, (values, n) of the sets of ``dataset``."""
    sets = datasets(measurements, "shift") if dataset == MEAN else [dataset]
    rows = measurements[measurements["dataset"].isin(sets)].sort_values("dataset")
    sets = rows.groupby(KEY, dropna=False)[["value", "n"]].agg(list).reset_index()
    rows = table[[*KEY, "reference_value", "reference_n"]].merge(sets, on=KEY, how="left")
    return [
        ((row.reference_value, row.reference_n), (row.value, row.n)) for row in rows.itertuples()
    ]


def overview(measurements: pd.DataFrame) -> pd.DataFrame:
    """The table for people: percent and half the interval, as text such as "91.2 ± 0.9".

    A row per model that is not a baseline; of a sweep alpha = 0.5 and the best alpha on the
    held-out data, labelled so. Columns: model, kind, reference, shifts, "mean of shifts".
    """
    columns = datasets(measurements, "reference", "shift", "mean")
    shown = measurements[measurements["kind"] != BASELINE]
    rows = []
    for (kind, curve), group in shown.groupby(["kind", "curve"], sort=False):
        models = dict(list(group.groupby("model", sort=False)))
        if curve:
            labels = {0.5: f"{curve}, alpha 0.50"}
            held_out = group[group["role"] == "held-out"].groupby("alpha")["value"].mean()
            if len(held_out):
                best = held_out.idxmax()  # the smallest of equals
                labels[best] = f"{curve}, alpha {best:.2f} (best held-out)"
            models = {labels[a]: group[np.isclose(group["alpha"], a)] for a in labels}
        for name, model in models.items():
            half = 50 * (model["high"] - model["low"])
            cells = zip(model["dataset"], 100 * model["value"], half)
            text = {dataset: f"{value:.1f} ± {width:.1f}" for dataset, value, width in cells}
            if text:
                rows.append([name, kind, *(text.get(dataset, "") for dataset in columns)])
    titles = ["mean of shifts" if name == MEAN else name for name in columns]
    return pd.DataFrame(rows, columns=["model", "kind", *titles])


def to_markdown(table: pd.DataFrame) -> str:
    """A Markdown table of a data frame: text columns left, the others right."""
    rules = [":--" if name in ("model", "kind", "finding", "on") else "--:" for name in table]
    rows = [list(table.columns), rules, *table.astype(str).to_numpy().tolist()]
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in escaped)
