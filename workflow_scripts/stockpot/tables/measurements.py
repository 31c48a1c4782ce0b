"""The tables of a study: measurements, lines of the baselines, and effective robustness."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..datasets.classes import subset
from ..runtime.atomic_files import atomic
from ..statistics.intervals import clopper_pearson, mean_interval, tail_quantiles
from ..statistics.robustness import (
    axis_transforms,
    clip_to_axis,
    effective_robustness,
    effective_robustness_interval,
    fit_line,
    line_pieces,
    resampled_lines,
)
from .escape import from_spreadsheet, spreadsheet
from .published_models import MIN_BASELINES
from .table_files import check_table, seal_table

# The kind of the baselines.
BASELINE = "from-scratch"
# The data set of rows that are the mean of the shifts.
SHIFT_MEAN = "shifts"
# The metric of most data sets.
ACCURACY = "accuracy"
# The metric of a mean of data sets that have several metrics.
MEAN_OF = "mean"
# The role of the reference restricted to the classes of a shift.
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
# What a row is about, except the data set.
KEY = ["model", "kind", "sweep", "alpha"]
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
    "interval_type",
    "chance",
    "precision",
]
FIT_COLUMNS = [
    "dataset",
    "piece_start",
    "piece_end",
    "slope",
    "intercept",
    "r",
    "n",
    "axis",
    "confidence",
]
ROBUSTNESS_COLUMNS = [*KEY, "dataset", "effective_robustness", "low", "high"]
# The kinds of interval, as the column "interval_type" names them.
COUNT_INTERVAL = "Clopper-Pearson"
RESAMPLED_INTERVAL = "bootstrap"
MEAN_INTERVAL = "stratified bootstrap"
NO_INTERVAL = "not known"


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table that ``write_table`` wrote.

    Args:
        path: The CSV file.

    Returns:
        The table: an empty ``sweep`` is "", an empty number is NaN.

    Raises:
        StockpotError: If the file is not as it was written.
    """
    check_table(path)
    # A model may be called 1e-5 or NA: names are read as texts.
    text_columns = {
        "model": str,
        "kind": str,
        "sweep": str,
        "dataset": str,
        "role": str,
    }
    table = pd.read_csv(
        path,
        dtype=text_columns,
        keep_default_na=False,
        na_values=[""],
    )
    table = _with_texts_changed(table, from_spreadsheet)
    if "sweep" not in table:
        return table
    return table.fillna({"sweep": ""})


def write_table(
    table: pd.DataFrame,
    path: str | Path,
    float_format: str | None = None,
) -> None:
    """Write a table as CSV, whole or not at all, to be checked when it is read.

    A text that a spreadsheet would take for a formula gets an apostrophe in front, which
    ``read_table`` takes away again.

    Args:
        table: The table.
        path: The CSV file.
        float_format: Of its numbers, such as "%.6f".
    """
    safe = _with_texts_changed(table, _cell)
    with atomic(path) as temporary:
        safe.to_csv(
            temporary,
            index=False,
            lineterminator="\n",
            float_format=float_format,
        )
    seal_table(path)


def _cell(value: object) -> object:
    """A value as a cell: a carriage return, which CSV does not quote, would end its row."""
    if isinstance(value, str) and "\r" in value:
        value = value.replace("\r\n", "\n")
        value = value.replace("\r", "\n")
    return spreadsheet(value)


def _with_texts_changed(
    table: pd.DataFrame,
    change: Callable[[object], object],
) -> pd.DataFrame:
    """The table with every text in it, and every name of a column, changed."""
    result = table.copy()
    # By position, since two columns may have one name.
    for position in range(len(table.columns)):
        dtype = table.dtypes.iloc[position]
        if pd.api.types.is_numeric_dtype(dtype):
            continue
        before = list(table.iloc[:, position])
        after = [change(value) for value in before]
        is_changed = any(new is not old for new, old in zip(after, before))
        # A column without a change keeps its type.
        if is_changed:
            column = pd.Series(
                after,
                index=table.index,
                dtype=object,
            )
            result.isetitem(position, column)
    names = [change(name) for name in table.columns]
    return result.set_axis(names, axis="columns")


def measure(
    cells: pd.DataFrame,
    roles: dict[str, str],
    confidence: float,
) -> pd.DataFrame:
    """Make the measurements table: a row per model and data set, and per mean of the shifts.

    The unweighted mean of the shifts (dataset "shifts", role "mean", n the total, k missing) is
    there for every model that has all shifts.

    Args:
        cells: Columns model, kind, sweep, alpha, dataset, n, k, classes and precision, in any
            order. ``metric`` may be missing where it is that of the other rows of the data set,
            or accuracy. A metric that counts nothing has no k but value, low and high. A
            published model, of which nobody knows n, has only the value, and no interval.
        roles: Data set -> held-out, corrupted, reference, subset or shift, in the order in
            which to list the data sets.
        confidence: Of the intervals.

    Returns:
        The columns ``COLUMNS``. chance is the accuracy of guessing, 1 / classes; precision is
        that of the forward pass.

    Raises:
        ValueError: If a data set has no role, or two rows are of one cell.
    """
    names = set(cells["dataset"])
    unknown = sorted(names - set(roles))
    if unknown or SHIFT_MEAN in roles:
        raise ValueError(
            f"data sets without a role: {unknown}; no data set may be named {SHIFT_MEAN!r}"
        )
    table = _with_values(cells, roles)
    # A model has one accuracy on a data set.
    cell_key = [*KEY, "dataset"]
    is_duplicate = table.duplicated(cell_key)
    duplicates = table.loc[is_duplicate, cell_key]
    if len(duplicates):
        first = duplicates.iloc[0].to_dict()
        raise ValueError(f"measured twice: {first}")
    table = _with_intervals(table, confidence)
    means = _means(table, roles, confidence)
    table = pd.concat([table, means], ignore_index=True)
    table = _in_reading_order(table, list(roles))
    types = {
        "n": "Int64",
        "k": "Int64",
        "alpha": "float64",
    }
    table = table.astype(types)
    return table[COLUMNS]


def _with_values(
    cells: pd.DataFrame,
    roles: dict[str, str],
) -> pd.DataFrame:
    """The cells with sweep, role, metric, value and chance; low and high as far as known."""
    missing = pd.Series(np.nan, cells.index)
    metric = cells.get("metric", missing.astype(object))
    # The rows of a data set share one metric, and not every row says which.
    metric_of_dataset = metric.groupby(cells["dataset"]).transform("first")
    metric = metric.fillna(metric_of_dataset)
    # A count gives the value; other metrics and published models come with theirs.
    fractions = cells["k"] / cells["n"]
    given_values = cells.get("value", missing)
    return cells.assign(
        sweep=cells["sweep"].fillna(""),
        role=cells["dataset"].map(roles),
        metric=metric.fillna(ACCURACY),
        value=fractions.fillna(given_values),
        low=cells.get("low", missing),
        high=cells.get("high", missing),
        chance=1 / cells["classes"],
    )


def _with_intervals(
    table: pd.DataFrame,
    confidence: float,
) -> pd.DataFrame:
    """The table with the intervals of counts, and the kind of every interval."""
    # k is there for counts, n also for metrics that count nothing.
    is_counted = table["k"].notna()
    is_resampled = ~is_counted & table["n"].notna()
    k = table.loc[is_counted, "k"]
    n = table.loc[is_counted, "n"]
    low, high = clopper_pearson(k, n, confidence)
    table.loc[is_counted, "low"] = low
    table.loc[is_counted, "high"] = high
    table["interval_type"] = np.select(
        [is_counted, is_resampled],
        [COUNT_INTERVAL, RESAMPLED_INTERVAL],
        NO_INTERVAL,
    )
    return table


def _in_reading_order(
    table: pd.DataFrame,
    names: list[str],
) -> pd.DataFrame:
    """The table by kind, sweep and model, and the data sets in the order of their names."""
    # Kinds are listed in the order of KINDS, others after them by name.
    other_kinds = sorted(set(table["kind"]) - set(KINDS))
    ranks = {
        "kind": _ranks([*KINDS, *other_kinds]),
        "dataset": _ranks([*names, SHIFT_MEAN]),
    }

    def sort_key(column: pd.Series) -> pd.Series:
        """Ranks of kinds and data sets; other columns as they are."""
        if column.name in ranks:
            return column.map(ranks[column.name])
        return column

    return table.sort_values(
        ["kind", "sweep", "alpha", "model", "dataset"],
        key=sort_key,
        ignore_index=True,
    )


def _ranks(names: list[str]) -> dict[str, int]:
    return {name: rank for rank, name in enumerate(names)}


def published_cells(accuracies: list[tuple[str, str, float]]) -> pd.DataFrame:
    """Make cells of published models for ``measure``.

    Args:
        accuracies: See ``published_models.read_published_models``.

    Returns:
        A row per accuracy.
    """
    table = pd.DataFrame(accuracies, columns=["model", "dataset", "value"])
    return table.assign(
        kind=BASELINE,
        sweep="",
        alpha=None,
    )


def _means(
    table: pd.DataFrame,
    roles: dict[str, str],
    confidence: float,
) -> pd.DataFrame:
    """Rows of the mean of the shifts, for the models that have all shifts."""
    shifts = {dataset for dataset, role in roles.items() if role == "shift"}
    shift_rows = table[table["role"] == "shift"]
    rows = []
    for key, group in shift_rows.groupby(KEY, dropna=False):
        if set(group["dataset"]) != shifts:
            continue
        # Sorted, so that the order of the rows does not count.
        sorted_group = group.sort_values("dataset")
        row = dict(zip(KEY, key))
        row |= _mean(sorted_group, confidence)
        rows.append(row)
    means = pd.DataFrame(rows, columns=COLUMNS)
    return means.astype({"alpha": "float64", "k": "Int64"})


def _mean(
    group: pd.DataFrame,
    confidence: float,
) -> dict[str, object]:
    """The columns of the mean over the shifts of one model."""
    low, high, interval = _mean_interval(group, confidence)
    is_accuracy = group["metric"] == ACCURACY
    metric = MEAN_OF
    if is_accuracy.all():
        metric = ACCURACY
    return {
        "dataset": SHIFT_MEAN,
        "role": "mean",
        "metric": metric,
        "value": group["value"].mean(),
        "n": group["n"].sum(skipna=False),
        "k": None,
        "low": low,
        "high": high,
        "interval_type": interval,
        "chance": group["chance"].mean(),
        "precision": group["precision"].iloc[0],
    }


def _mean_interval(
    group: pd.DataFrame,
    confidence: float,
) -> tuple[float, float, str]:
    """Low, high and kind of the interval of the mean over the shifts of one model."""
    # The mean of published models has no interval, since nobody knows their n.
    if group["n"].isna().any():
        return np.nan, np.nan, NO_INTERVAL
    if len(group) == 1:
        only = group.iloc[0]
        return only["low"], only["high"], only["interval_type"]
    # A stratified bootstrap: examples are resampled within each shift.
    n = _examples(group, confidence)
    k = group["value"] * n
    low, high = mean_interval(k, n, confidence)
    return low, high, MEAN_INTERVAL


def _examples(
    table: pd.DataFrame,
    confidence: float,
) -> np.ndarray:
    """The number of examples of every row, float64 [rows].

    For a metric that counts nothing it is the number with which a count would have an interval
    of the same width.
    """
    value = table["value"].to_numpy(float)
    low = table["low"].to_numpy(float)
    high = table["high"].to_numpy(float)
    n = table["n"].to_numpy(float)
    # An interval reaches z standard errors to both sides of the value.
    _, upper_quantile = tail_quantiles(confidence)
    z = ndtri(upper_quantile)
    error = (high - low) / (2 * z)
    # The standard error of a count is sqrt(value (1 - value) / n); solved for n.
    with np.errstate(divide="ignore", invalid="ignore"):
        equivalent = value * (1 - value) / error**2
    is_resampled = (table["interval_type"] == RESAMPLED_INTERVAL).to_numpy()
    is_replaced = is_resampled & np.isfinite(equivalent)
    counts = np.where(is_replaced, equivalent, n)
    return np.maximum(1, np.round(counts))


def datasets(measurements: pd.DataFrame, *roles: str) -> list[str]:
    """List the data sets with some roles.

    Args:
        measurements: See ``measure``.
        roles: Of the data sets.

    Returns:
        Their names: by role, then in the table's order.
    """
    table = measurements[["role", "dataset"]].drop_duplicates()
    names: list[str] = []
    for role in roles:
        has_role = table["role"] == role
        names += list(table.loc[has_role, "dataset"])
    return names


def reference(measurements: pd.DataFrame) -> str:
    """Look up the name of the reference.

    Args:
        measurements: See ``measure``.

    Returns:
        The name.

    Raises:
        ValueError: Unless there is exactly one.
    """
    names = datasets(measurements, "reference")
    if len(names) != 1:
        raise ValueError(f"need exactly one reference set, got {names}")
    return names[0]


def paired_accuracies(
    measurements: pd.DataFrame,
    dataset: str,
) -> pd.DataFrame:
    """Pair the accuracies of every model on a data set and on the reference.

    Where the table has the reference restricted to the classes of the data set, that is taken.

    Args:
        measurements: See ``measure``.
        dataset: Name of a shift, or ``SHIFT_MEAN``.

    Returns:
        A row per model that was measured on both. Columns: KEY; value, n, low, high and chance
        of the data set; reference_dataset, the name of the set that it is paired with;
        reference_value, reference_n, reference_low and reference_high.
    """
    numbers = [
        "value",
        "n",
        "low",
        "high",
    ]
    against = reference(measurements)
    restricted = subset(against, dataset)
    is_restricted = measurements["dataset"] == restricted
    # Models choose among the same classes on both sets.
    if is_restricted.any():
        against = restricted
    is_against = measurements["dataset"] == against
    is_dataset = measurements["dataset"] == dataset
    x_columns = [*KEY, *numbers]
    y_columns = [*KEY, *numbers, "chance"]
    x = measurements.loc[is_against, x_columns]
    y = measurements.loc[is_dataset, y_columns]
    new_names = {name: f"reference_{name}" for name in numbers}
    x = x.rename(columns=new_names)
    x = x.assign(reference_dataset=against)
    return y.merge(x, on=KEY)


def robustness_table(
    measurements: pd.DataFrame,
    axis: str,
    confidence: float,
    breakpoints: dict[str, list[float]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit the lines of the baselines and compute effective robustness, per shift and mean.

    There are no rows where a piece of a line has fewer than three baselines, or only baselines
    of one reference accuracy. A baseline at 0 or 1 with unknown n has no coordinate on a logit
    or probit axis, and is no part of that line nor of the line of the mean.

    Args:
        measurements: See ``measure``.
        axis: See ``statistics.robustness.AXES``.
        confidence: Of the intervals, and of the band that figures draw.
        breakpoints: Data set -> reference accuracies at which its line is divided; each piece is
            fitted by itself.

    Returns:
        Two tables. Lines: dataset, piece_start, piece_end (reference accuracies between which it
        holds), slope, intercept, r, n, axis, confidence. Effective robustness: model, kind,
        sweep, alpha, dataset, effective_robustness, low, high, as fractions; low and high are a
        joint interval of the accuracy under shift, the reference accuracy and the line (see
        ``effective_robustness_interval``), missing where an n is.
    """
    breakpoints = breakpoints or {}
    excluded = without_coordinates(measurements, axis)
    fits = []
    tables = []
    for dataset in datasets(measurements, "shift", "mean"):
        table = paired_accuracies(measurements, dataset)
        # 0 and 1 have no coordinate: they are moved half an example inside.
        x = clip_to_axis(table["reference_value"], table["reference_n"], axis)
        y = clip_to_axis(table["value"], table["n"], axis)
        is_baseline = _has_coordinates(x, y, axis)
        is_baseline &= (table["kind"] == BASELINE).to_numpy()
        if dataset == SHIFT_MEAN:
            is_baseline &= ~table["model"].isin(excluded).to_numpy()
        # Without breakpoints a line has one piece, from 0 to 1.
        for start, end, is_here in line_pieces(x, breakpoints.get(dataset, ())):
            # Each piece has its own line, through its own baselines.
            is_fitted = is_baseline & is_here
            fitted_x = x[is_fitted]
            fitted_y = y[is_fitted]
            if len(fitted_x) < MIN_BASELINES or np.ptp(fitted_x) == 0:
                continue
            line = fit_line(fitted_x, fitted_y, axis)
            fit = {
                "dataset": dataset,
                "piece_start": start,
                "piece_end": end,
            }
            fit |= asdict(line)
            fit["confidence"] = confidence
            fits.append(fit)
            here = table[is_here]
            above_fit = effective_robustness(line, x[is_here], here["value"])
            lines = resampled_lines(fitted_x, fitted_y, axis=axis)
            sampled = _sampled(measurements, here, dataset, confidence)
            low, high = _robustness_intervals(lines, sampled, confidence, axis)
            robustness_rows = here[KEY].assign(
                dataset=dataset,
                effective_robustness=above_fit,
                low=low,
                high=high,
            )
            tables.append(robustness_rows)
    if not tables:
        tables = [pd.DataFrame(columns=ROBUSTNESS_COLUMNS)]
    robustness = pd.concat(tables, ignore_index=True)
    return pd.DataFrame(fits, columns=FIT_COLUMNS), robustness


def _has_coordinates(
    x: np.ndarray,
    y: np.ndarray,
    axis: str,
) -> np.ndarray:
    """Which accuracies, [models] each, both have a finite coordinate on an axis; bool."""
    forward, _ = axis_transforms(axis)
    # The coordinate of 0 and of 1 is infinite.
    with np.errstate(divide="ignore"):
        x_coordinates = forward(x)
        y_coordinates = forward(y)
    return np.isfinite(x_coordinates) & np.isfinite(y_coordinates)


def without_coordinates(
    measurements: pd.DataFrame,
    axis: str,
) -> set[str]:
    """Find the baselines that have no coordinate on an axis.

    They are at 0 or 1 on some shift, and nobody knows of how many images.

    Args:
        measurements: See ``measure``.
        axis: See ``statistics.robustness.AXES``; on "linear" every accuracy has one.

    Returns:
        Names of models.
    """
    # On a linear axis every accuracy has a coordinate.
    if axis == "linear":
        return set()
    is_at_end = measurements["value"].isin([0, 1])
    is_unknown = measurements["n"].isna()
    is_baseline = measurements["kind"] == BASELINE
    is_shift = measurements["role"] == "shift"
    is_excluded = is_at_end & is_unknown & is_baseline & is_shift
    return set(measurements.loc[is_excluded, "model"])


def _sampled(
    measurements: pd.DataFrame,
    table: pd.DataFrame,
    dataset: str,
    confidence: float,
) -> list[tuple[tuple, tuple]]:
    """What the interval of every model's effective robustness is drawn from.

    Args:
        measurements: See ``measure``.
        table: Rows of ``paired_accuracies``.
        dataset: Of these rows.
        confidence: Of the intervals.

    Returns:
        Per row (value, n) on the reference, and (values, n) on the shifts that are averaged.
    """
    measurements = measurements[measurements["role"] != "mean"]
    measurements = measurements.assign(n=_examples(measurements, confidence))
    # The mean of the shifts is drawn shift by shift.
    sets = [dataset]
    if dataset == SHIFT_MEAN:
        sets = datasets(measurements, "shift")
    is_shift = measurements["dataset"].isin(sets)
    shift_rows = measurements[is_shift].sort_values("dataset")
    by_model = shift_rows.groupby(KEY, dropna=False)[["value", "n"]]
    shifts = by_model.agg(list).reset_index()
    is_reference = measurements["dataset"] == table["reference_dataset"].iloc[0]
    reference_rows = measurements.loc[is_reference, [*KEY, "value", "n"]]
    reference_rows = reference_rows.rename(
        columns={"value": "reference_value", "n": "reference_n"}
    )
    # Left joins keep the order of the rows of the table.
    rows = table[KEY].merge(
        reference_rows,
        on=KEY,
        how="left",
    )
    rows = rows.merge(
        shifts,
        on=KEY,
        how="left",
    )
    sampled = []
    for row in rows.itertuples():
        on_reference = (row.reference_value, row.reference_n)
        on_shifts = (row.value, row.n)
        sampled.append((on_reference, on_shifts))
    return sampled


def _robustness_intervals(
    lines: tuple[np.ndarray, np.ndarray],
    sampled: list[tuple[tuple, tuple]],
    confidence: float,
    axis: str,
) -> tuple[list[float], list[float]]:
    """Low and high of every model's effective robustness.

    Args:
        lines: Slopes and intercepts of resampled lines.
        sampled: See ``_sampled``.
        confidence: Of the intervals.
        axis: Of the lines.
    """
    low = []
    high = []
    for on_reference, on_shifts in sampled:
        model_low, model_high = effective_robustness_interval(
            lines,
            on_reference,
            on_shifts,
            confidence,
            axis=axis,
        )
        low.append(model_low)
        high.append(model_high)
    return low, high
