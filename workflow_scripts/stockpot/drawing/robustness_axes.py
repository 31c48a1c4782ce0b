"""Accuracy under shift against accuracy on the reference: what several figures share."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from ..statistics.robustness import BaselineFit, axis_transforms, band, clip_to_axis
from ..tables.equal_models import equal_models, equal_sweeps
from ..tables.measurements import (
    BASELINE,
    SHIFT_MEAN,
    datasets,
    paired_accuracies,
    without_coordinates,
)
from .model_colours import looks, sweep_looks
from .style import (
    DARK_GREY,
    DASHES,
    DOTS,
    GREY,
    Legend,
    accuracy_axis,
    handle,
    limits,
)

FIT = "fit"  # the kind of the rows that are the baseline fit
Ends = tuple[tuple[float, float], tuple[float, float]]  # low and high of x, then of y

# Columns of a point and its interval.
_X_COLUMNS = ["reference_value", "reference_low", "reference_high"]
_Y_COLUMNS = ["value", "low", "high"]
# A ring marks alpha 0.5.
_HALF = {
    "ls": "",
    "marker": "o",
    "ms": 5.5,
    "mfc": "white",
    "mew": 1.1,
}
_CHANCE = {
    "color": GREY,
    "ls": DOTS,
    "lw": 0.9,
}
_FIT_POINTS = 201  # of the drawn line
_EDGE = 1e-6  # logit and probit have no place for 0 and 1


def default_axis(fits: pd.DataFrame) -> str:
    """Tell the scale that figures have by default.

    Args:
        fits: The table of baseline fits.

    Returns:
        The scale of the fits; "logit" where there are none.
    """
    return fits["axis"].iloc[0] if len(fits) else "logit"


def under_shift(measurements: pd.DataFrame) -> str:
    """Write the label of the axis of accuracies under shift.

    Args:
        measurements: The table of measurements.

    Returns:
        A label that names the only shift, or the mean of several.
    """
    shifts = datasets(measurements, "shift")
    if len(shifts) == 1:
        return f"Accuracy on {shifts[0]} (%)"
    return "Mean accuracy under shift (%)"


def shifts_name(tables: dict[str, pd.DataFrame]) -> str:
    """Name the shifts of a study.

    Args:
        tables: Of a figure; with or without "measurements".

    Returns:
        Name of the only shift, else "Mean of shifts", also where there are no measurements.
    """
    if "measurements" in tables:
        shifts = datasets(tables["measurements"], "shift")
        if len(shifts) == 1:
            return shifts[0]
    return "Mean of shifts"


def scatter_points(
    measurements: pd.DataFrame,
    dataset: str,
    axis: str,
) -> pd.DataFrame:
    """Make the table of the points of one panel.

    Args:
        measurements: The table of measurements.
        dataset: Whose accuracies are on y.
        axis: Scale of both axes; accuracies and intervals are moved inside it.

    Returns:
        ``paired_accuracies``, with a column ``dataset``.
    """
    table = paired_accuracies(measurements, dataset).assign(dataset=dataset)
    for columns, count_column in ((_X_COLUMNS, "reference_n"), (_Y_COLUMNS, "n")):
        for column in columns:
            table[column] = clip_to_axis(table[column], table[count_column], axis)
    return table


def fit_with_band(
    measurements: pd.DataFrame,
    table: pd.DataFrame,
    fits: pd.DataFrame,
    ends: tuple[float, float],
) -> pd.DataFrame:
    """Make the baseline fit of a data set and its bootstrap band between two accuracies.

    Args:
        measurements: The table of measurements.
        table: ``scatter_points`` of the data set.
        fits: The table of baseline fits.
        ends: Low and high accuracy on the reference.

    Returns:
        Columns model, kind ("fit"), sweep, reference_value, value, low, high, dataset and
        confidence. Empty without a fit.
    """
    fit_rows = fits[fits["dataset"].isin(table["dataset"])]
    if fit_rows.empty:
        return pd.DataFrame()
    first_row = fit_rows.iloc[0]
    if first_row["dataset"] == SHIFT_MEAN:
        # The band goes through the models that the line goes through.
        left_out = without_coordinates(measurements, first_row["axis"])
        table = table[~table["model"].isin(left_out)]
    pieces = [_piece(table, row, ends) for _, row in fit_rows.iterrows()]
    return pd.concat(pieces, ignore_index=True)


def _piece(
    table: pd.DataFrame,
    row: pd.Series,
    ends: tuple[float, float],
) -> pd.DataFrame:
    """One piece of a piecewise fit; a straight fit is the one piece that there is."""
    line = BaselineFit(
        row["slope"],
        row["intercept"],
        row["r"],
        row["n"],
        row["axis"],
    )
    forward, inverse = axis_transforms(line.axis)
    ends = np.clip(ends, row["piece_start"], row["piece_end"])
    ends = np.clip(ends, _EDGE, 1 - _EDGE)
    # Even steps on the axis, so that the line is smooth wherever the axis is wide.
    accuracies = inverse(np.linspace(*forward(ends), _FIT_POINTS))
    x, y = _baseline_points(table, row, line.axis)
    low, high = band(x, y, accuracies, row["confidence"], axis=line.axis)
    return pd.DataFrame(
        {
            "model": f"line from {row['piece_start']:g}"
            if row["piece_start"]
            else "line",
            "kind": FIT,
            "sweep": "",
            "reference_value": accuracies,
            "value": line.predict(accuracies),
            "low": low,
            "high": high,
            "dataset": row["dataset"],
            "confidence": row["confidence"],
        }
    )


def _baseline_points(
    table: pd.DataFrame,
    row: pd.Series,
    axis: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Reference and shift accuracies of the baselines of one piece: float64 [n] each."""
    baseline = table[table["kind"] == BASELINE]
    x = clip_to_axis(baseline["reference_value"], baseline["reference_n"], axis)
    y = clip_to_axis(baseline["value"], baseline["n"], axis)
    forward, _ = axis_transforms(axis)
    # 0 and 1 of an unknown number of images have no place on the axis.
    with np.errstate(divide="ignore"):
        has_x = np.isfinite(forward(x))
        has_y = np.isfinite(forward(y))
    # A piece does not hold its end, except the last one.
    is_in_piece = x >= row["piece_start"]
    if row["piece_end"] != 1:
        is_in_piece &= x < row["piece_end"]
    selected = has_x & has_y & is_in_piece
    return x[selected], y[selected]


def _off_sweeps(table: pd.DataFrame) -> pd.DataFrame:
    """The models that are no points of a sweep."""
    return table[table["sweep"] == ""]


def axis_limits(table: pd.DataFrame, axis: str) -> Ends:
    """Find the ends of x and y that hold every point and its interval.

    Args:
        table: As ``scatter_points`` gives it.
        axis: Scale of both axes.

    Returns:
        Low and high end of x, then of y, as accuracies.
    """
    x_ends = limits(table[_X_COLUMNS].to_numpy().ravel(), axis)
    y_ends = limits(table[_Y_COLUMNS].to_numpy().ravel(), axis)
    return x_ends, y_ends


def _chances(table: pd.DataFrame, ends: Ends) -> list[float]:
    """The accuracies of guessing that y shows."""
    # Data sets with different numbers of classes have several.
    low, high = ends[1]
    return [chance for chance in table["chance"].unique() if low < chance < high]


def _draw_intervals(
    axes: Axes,
    table: pd.DataFrame,
    colour: str,
) -> None:
    """A cross of bars through every point."""
    bars = {
        "color": colour,
        "linewidth": 0.6,
        "alpha": 0.55,
        "zorder": 3,
    }
    axes.hlines(
        table["value"],
        table["reference_low"],
        table["reference_high"],
        **bars,
    )
    axes.vlines(
        table["reference_value"],
        table["low"],
        table["high"],
        **bars,
    )


def draw_panel(
    axes: Axes,
    table: pd.DataFrame,
    line: pd.DataFrame,
    axis: str,
    ends: Ends,
    *,
    intervals: bool,
) -> None:
    """Draw one panel: models, sweeps, the baseline fit, the line y = x, and chance.

    Args:
        axes: The empty panel.
        table: As ``scatter_points`` gives it.
        line: As ``fit_with_band`` gives it.
        axis: Scale of both axes.
        ends: Low and high end of x, then of y.
        intervals: Whether intervals are drawn as bars.
    """
    accuracy_axis(axes, "x", ends[0], axis)
    accuracy_axis(axes, "y", ends[1], axis)
    # Below everything else, so that it hides nothing: y = x and chance.
    low, high = ends[0]
    diagonal = np.linspace(max(low, _EDGE), min(high, 1 - _EDGE), 101)
    axes.plot(
        diagonal,
        diagonal,
        color=GREY,
        linestyle=DASHES,
        linewidth=0.7,
        zorder=1,
    )
    for chance in _chances(table, ends):
        axes.axhline(chance, zorder=1, **_CHANCE)
    if len(line):
        _draw_fit(axes, line, ends)
    _draw_sweeps(axes, table, intervals=intervals)
    _draw_models(axes, _off_sweeps(table), intervals=intervals)


def _draw_fit(
    axes: Axes,
    line: pd.DataFrame,
    ends: Ends,
) -> None:
    """The pieces of the baseline fit, with the band that y shows of them."""
    for _, piece in line.groupby("model"):
        low = piece["low"].clip(*ends[1])
        high = piece["high"].clip(*ends[1])
        x = piece["reference_value"]
        axes.fill_between(
            x,
            low,
            high,
            color=GREY,
            alpha=0.25,
            linewidth=0,
        )
        axes.plot(
            x,
            piece["value"],
            color=GREY,
            linewidth=1,
            zorder=2,
        )


def _draw_sweeps(
    axes: Axes,
    table: pd.DataFrame,
    *,
    intervals: bool,
) -> None:
    """Every sweep as a line, with a ring at alpha 0.5."""
    for (kind, target), look in sweep_looks(table).items():
        is_of_sweep = (table["kind"] == kind) & (table["sweep"] == target)
        sweep = table[is_of_sweep].sort_values("alpha")
        axes.plot(
            sweep["reference_value"],
            sweep["value"],
            zorder=4,
            **look.line,
        )
        half = sweep[np.isclose(sweep["alpha"], 0.5)]
        if intervals:
            _draw_intervals(axes, half, look.colour)
        axes.plot(
            half["reference_value"],
            half["value"],
            zorder=6,
            color=look.colour,
            **_HALF,
        )


def _draw_models(
    axes: Axes,
    models: pd.DataFrame,
    *,
    intervals: bool,
) -> None:
    """A mark for every model that is no point of a sweep."""
    for kind, look in looks(models["kind"]).items():
        models_of_kind = models[models["kind"] == kind]
        if intervals:
            _draw_intervals(axes, models_of_kind, look.colour)
        # Kinds of many models lie below the others, which they would hide.
        order = 5 if kind in (BASELINE, "end-to-end") else 7
        axes.plot(
            models_of_kind["reference_value"],
            models_of_kind["value"],
            zorder=order,
            **look.mark,
        )


def legend_entries(
    table: pd.DataFrame,
    line: pd.DataFrame,
    ends: Ends,
) -> Legend:
    """Make the legend of what ``draw_panel`` shows for the same arguments.

    Args:
        table: As ``scatter_points`` gives it.
        line: As ``fit_with_band`` gives it.
        ends: Low and high end of x, then of y.

    Returns:
        Text -> handle.
    """
    legend: Legend = {}
    for look in looks(_off_sweeps(table)["kind"]).values():
        legend[look.label] = handle(**look.mark)
    sweeps = sweep_looks(table)
    for look in sweeps.values():
        legend[look.label] = handle(**look.line)
    if sweeps:
        legend["α = 0.5"] = handle(color=DARK_GREY, **_HALF)
    if len(line):
        text = f"Fit with {100 * line['confidence'].iloc[0]:g} % band"
        legend[text] = (Patch(facecolor=GREY, alpha=0.25), handle(color=GREY))
    # y = x is in view where the ranges of both axes overlap.
    (left, right), (bottom, top) = ends
    if max(left, bottom) < min(right, top):
        legend["y = x"] = handle(color=GREY, ls=DASHES, lw=0.7)
    if _chances(table, ends):
        legend["Chance"] = handle(**_CHANCE)
    return legend


def name_equal_models(
    legend: Legend,
    measurements: pd.DataFrame,
) -> Legend:
    """Say in a legend which sweeps and soups lie under others, as they are equal.

    Args:
        legend: Text -> handle.
        measurements: The table of measurements.

    Returns:
        The same handles under texts as "Greedy soup (= base)".
    """
    texts = _equal_model_texts(measurements)
    texts |= _equal_sweep_texts(measurements)
    return {texts.get(text, text): handle for text, handle in legend.items()}


def _equal_model_texts(measurements: pd.DataFrame) -> dict[str, str]:
    """Legend text of a kind -> text that says which model its only model equals."""
    models = _off_sweeps(measurements)
    model_count = models.groupby("kind")["model"].nunique()
    # Equal models answer every image alike, as a greedy soup of one ingredient.
    kind_of_model = dict(zip(models["model"], models["kind"]))
    known = looks(measurements["kind"])
    texts = {}
    for names in equal_models(measurements):
        # A legend text stands for one model only where its kind has one.
        only_ones = [name for name in names if model_count[kind_of_model[name]] == 1]
        others = [name for name in names if name not in only_ones]
        # A model of a kind that has several cannot be named otherwise.
        equal_model = others[0] if others else names[0]
        for name in only_ones:
            if name != equal_model:
                legend_text = known[kind_of_model[name]].label
                texts[legend_text] = f"{legend_text} (= {equal_model})"
    return texts


def _equal_sweep_texts(measurements: pd.DataFrame) -> dict[str, str]:
    """Legend text of a sweep -> text that says which sweep it equals."""
    labels = {
        target: look.label for (_, target), look in sweep_looks(measurements).items()
    }
    texts = {}
    # The first sweep keeps its text, and the others name it.
    for first, *others in equal_sweeps(measurements):
        for target in others:
            texts[labels[target]] = f"{labels[target]} (= to {first})"
    return texts
