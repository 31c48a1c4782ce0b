"""Accuracy under shift against reference accuracy: what several figures share."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ..statistics.robustness import Line, band, inside, transforms
from ..tables.equal_models import equal_models, equal_sweeps
from ..tables.measurements import BASELINE, MEAN, datasets, pairs, placeless
from .model_colours import looks, sweeps
from .style import DASHES, DOTS, GREY, accuracy_axis, limits

FIT = "fit"
_HALF = {"ls": "", "marker": "o", "ms": 5.5, "mfc": "white", "mew": 1.1}
_CHANCE = {"color": GREY, "ls": DOTS, "lw": 0.9}
_X = ["reference_value", "reference_low", "reference_high"]
_Y = ["value", "low", "high"]


def default_axis(fits: pd.DataFrame) -> str:
    """The axis of the fits, logit where there are none."""
    return fits["axis"].iloc[0] if len(fits) else "logit"


def under_shift(measurements: pd.DataFrame) -> str:
    """Text of the axis of accuracies under shift: of the mean, or of the only shift."""
    shifts = datasets(measurements, "shift")
    one = len(shifts) == 1
    return f"Accuracy on {shifts[0]} (%)" if one else "Mean accuracy under shift (%)"


def shifts_name(tables: dict) -> str:
    """Name of the only shift, else "Mean of shifts"; also where there are no measurements."""
    shifts = (
        datasets(tables["measurements"], "shift") if "measurements" in tables else []
    )
    return shifts[0] if len(shifts) == 1 else "Mean of shifts"


def points(measurements: pd.DataFrame, dataset: str, axis: str) -> pd.DataFrame:
    """``pairs`` with everything moved inside the axis, and a column ``dataset``."""
    table = pairs(measurements, dataset).assign(dataset=dataset)
    for columns, n in ((_X, "reference_n"), (_Y, "n")):
        for column in columns:
            table[column] = inside(table[column], table[n], axis)
    return table


def fitted(
    measurements: pd.DataFrame,
    table: pd.DataFrame,
    fits: pd.DataFrame,
    ends: tuple[float, float],
) -> pd.DataFrame:
    """The data set's line and its bootstrap band between two reference accuracies.

    measurements: the whole table; table: ``points`` of the data set.
    Columns model, kind ("fit"), curve, reference_value, value, low, high, dataset and
    confidence. Empty without a fit.
    """
    fit = fits[fits["dataset"].isin(table["dataset"])]
    if len(fit) == 0:
        return pd.DataFrame()
    if fit["dataset"].iloc[0] == MEAN:
        # The band goes through the models that the line goes through.
        table = table[
            ~table["model"].isin(placeless(measurements, fit["axis"].iloc[0]))
        ]
    return pd.concat(
        [_piece(table, row, ends) for _, row in fit.iterrows()], ignore_index=True
    )


def _piece(
    table: pd.DataFrame, row: pd.Series, ends: tuple[float, float]
) -> pd.DataFrame:
    """One piece of the line; a whole line is the one piece that there is."""
    line = Line(row["slope"], row["intercept"], row["r"], row["n"], row["axis"])
    forward, inverse = transforms(line.axis)
    ends = np.clip(np.clip(ends, row["start"], row["end"]), 1e-6, 1 - 1e-6)
    at = inverse(np.linspace(*forward(ends), 201))
    baseline = table[table["kind"] == BASELINE]
    x = inside(baseline["reference_value"], baseline["reference_n"], line.axis)
    y = inside(baseline["value"], baseline["n"], line.axis)
    with np.errstate(divide="ignore"):
        placed = np.isfinite(forward(x)) & np.isfinite(forward(y))
    placed &= (x >= row["start"]) & ((x < row["end"]) | (row["end"] == 1))
    low, high = band(x[placed], y[placed], at, row["confidence"], axis=line.axis)
    return pd.DataFrame(
        {
            "model": f"line from {row['start']:g}" if row["start"] else "line",
            "kind": FIT,
            "curve": "",
            "reference_value": at,
            "value": line.predict(at),
            "low": low,
            "high": high,
            "dataset": row["dataset"],
            "confidence": row["confidence"],
        }
    )


def _single(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["curve"] == ""]


def axis_limits(table: pd.DataFrame, axis: str) -> tuple[tuple, tuple]:
    """Ends of x and y that hold every point and its interval."""
    return tuple(
        limits(table[columns].to_numpy().ravel(), axis) for columns in (_X, _Y)
    )


def _chance(table: pd.DataFrame, ends: tuple) -> list[float]:
    """The accuracy of guessing, where y shows it."""
    low, high = ends[1]
    return [chance for chance in table["chance"].unique() if low < chance < high]


def _bars(axes: Axes, table: pd.DataFrame, colour: str) -> None:
    x, y = table["reference_value"], table["value"]
    style = {"color": colour, "linewidth": 0.6, "alpha": 0.55, "zorder": 3}
    axes.hlines(y, table["reference_low"], table["reference_high"], **style)
    axes.vlines(x, table["low"], table["high"], **style)


def draw_panel(
    axes: Axes,
    table: pd.DataFrame,
    line: pd.DataFrame,
    axis: str,
    ends: tuple,
    intervals: bool,
) -> None:
    """One panel between these ends: ``points``, their ``fitted`` line, y = x and chance."""
    accuracy_axis(axes, "x", ends[0], axis)
    accuracy_axis(axes, "y", ends[1], axis)
    diagonal = np.linspace(max(ends[0][0], 1e-6), min(ends[0][1], 1 - 1e-6), 101)
    axes.plot(diagonal, diagonal, color=GREY, linestyle=DASHES, linewidth=0.7, zorder=1)
    for chance in _chance(table, ends):
        axes.axhline(chance, zorder=1, **_CHANCE)
    for _, piece in line.groupby("model") if len(line) else ():
        x = piece["reference_value"]
        low, high = piece["low"].clip(*ends[1]), piece["high"].clip(*ends[1])
        axes.fill_between(x, low, high, color=GREY, alpha=0.25, linewidth=0)
        axes.plot(x, piece["value"], color=GREY, linewidth=1, zorder=2)
    for (kind, curve), look in sweeps(table).items():
        sweep = table[(table["kind"] == kind) & (table["curve"] == curve)].sort_values(
            "alpha"
        )
        x, y = sweep["reference_value"], sweep["value"]
        axes.plot(x, y, zorder=4, **look.line)
        half = sweep[np.isclose(sweep["alpha"], 0.5)]
        if intervals:
            _bars(axes, half, look.colour)
        axes.plot(
            half["reference_value"], half["value"], zorder=6, color=look.colour, **_HALF
        )
    single = _single(table)
    for kind, look in looks(single["kind"]).items():
        models = single[single["kind"] == kind]
        if intervals:
            _bars(axes, models, look.colour)
        order = 5 if kind in (BASELINE, "end-to-end") else 7
        axes.plot(models["reference_value"], models["value"], zorder=order, **look.mark)


def with_equals(legend: dict, measurements: pd.DataFrame) -> dict:
    """The legend, where sweeps and soups that lie under others say which."""
    single = _single(measurements)
    known = looks(measurements["kind"])
    models = single.groupby("kind")["model"].nunique()
    kinds = dict(zip(single["model"], single["kind"]))
    said = {}
    for names in equal_models(measurements):
        # A legend text stands for one model only where its kind has one.
        alone = [name for name in names if models[kinds[name]] == 1]
        first = next((name for name in names if name not in alone), names[0])
        for name in alone:
            if name != first:
                text = known[kinds[name]].label
                said[text] = f"{text} (= {first})"
    curves = {curve: look.label for (_, curve), look in sweeps(measurements).items()}
    for names in equal_sweeps(measurements):
        for curve in names[1:]:
            said[curves[curve]] = f"{curves[curve]} (= to {names[0]})"
    return {said.get(text, text): handle for text, handle in legend.items()}


def entries(table: pd.DataFrame, line: pd.DataFrame, ends: tuple) -> dict:
    """Legend text -> handle of what ``draw_panel`` shows for the same arguments."""

    def handle(**properties):
        return Line2D([], [], **properties)

    found = {
        look.label: handle(**look.mark)
        for look in looks(_single(table)["kind"]).values()
    }
    curves = sweeps(table).values()
    found |= {look.label: handle(**look.line) for look in curves}
    if curves:
        found["α = 0.5"] = handle(color="#444444", **_HALF)
    if len(line):
        label = f"Fit with {100 * line['confidence'].iloc[0]:g} % band"
        found[label] = (Patch(facecolor=GREY, alpha=0.25), handle(color=GREY))
    (left, right), (bottom, top) = ends
    if max(left, bottom) < min(right, top):
        found["y = x"] = handle(color=GREY, ls=DASHES, lw=0.7)
    if _chance(table, ends):
        found["Chance"] = handle(**_CHANCE)
    return found
