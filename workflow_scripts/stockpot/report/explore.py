"""Draw the interactive scatter: every model on the reference and under shift.

The chart is made with Altair for Vega-Lite. The scripts are written into the page, which needs no
network. Hovering over a model shows its recipe and numbers.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
from matplotlib.markers import MarkerStyle

from ..drawing.model_colours import Marker, look
from ..drawing.style import limits, ticks
from ..runtime.escape import one_line
from ..statistics.robustness import BaselineFit, axis_transforms, clip_to_axis
from ..tables.escape import json_for_script
from ..tables.measurements import (
    BASELINE,
    KEY,
    SHIFT_MEAN,
    datasets,
    paired_accuracies,
    reference,
)
from .page import render_page

# Size of the scatter in pixels.
WIDTH = 720
HEIGHT = 520
HEAD = """<p>Hover over a point for its recipe, numbers and intervals. The wheel zooms, dragging
moves the plot, a double click brings it back; a click on the legend shows one series alone. Lines
of points are sweeps from the zero-shot model to the model at the other end, a colour each. The
grey line, if any, is fitted through the baselines, most of which lie below and left of the
view.</p>"""

# Areas of marks in square pixels.
MARK_SIZE = 60
STAR_SIZE = 240
# Colours of sweeps, in their order. After the last one they begin again. None is the colour of a
# kind of model.
PALETTE = (
    "#CC79A7",
    "#882255",
    "#999933",
    "#332288",
    "#AA4499",
    "#44AA99",
    "#661100",
    "#DDCC77",
    "#6699CC",
    "#117733",
)
BASELINE_FIT_COLOUR = "#8C8C8C"
# The menu stands above the scatter.
STYLE = """#vis { display: flex; flex-direction: column-reverse; align-items: flex-start; }
#vis form.vega-bindings { margin-bottom: .8rem; }
#vg-tooltip-element { max-width: 26rem; }
#vg-tooltip-element table tr td.key { max-width: 9rem; }
#vg-tooltip-element table tr td.value { max-width: 17rem; white-space: normal; }
"""
# Column of the chart's table -> title in the tooltip.
TOOLTIP = {
    "model": "model",
    "recipe": "recipe",
    "on_reference": "reference",
    "under_shift": "under shift",
    "on_held_out": "held-out",
    "effective_robustness": "effective robustness",
}
# Hyperparameters that the tooltip leaves out, and values that mean that nothing was set.
HIDDEN_HYPERPARAMETERS = (
    "variant",
    "method",
    "architecture",
    "precision",
    "batch_size",
    "store_logits",
)
NOTHING_SET = (0, 0.0, "", None, False, [], {})
# Vega-Lite expressions that select rows of the chart's table: those of the shift in the menu, those
# of sweeps, and those that are drawn as points. The end models of a sweep have points of their own.
IS_SELECTED_SHIFT = "datum.shift == shift"
IS_SWEEP = "datum.sweep != ''"
IS_DRAWN_AS_POINT = "(datum.sweep == '' || (datum.alpha > 0 && datum.alpha < 1))"

# The line of a baseline fit is drawn through so many points, at accuracies within these bounds, as
# 0 and 1 have no finite coordinate on some axes.
FIT_POINT_COUNT = 60
LOWEST_FIT_ACCURACY = 1e-3
HIGHEST_FIT_ACCURACY = 0.999


@dataclass(frozen=True)
class _Channels:
    """How columns of the table become positions, colours and shapes."""

    x: alt.X
    y: alt.Y
    colour: alt.Color
    shape: alt.Shape


def robustness_scatter(
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
    robustness: pd.DataFrame,
    models: dict[str, dict[str, Any]],
    axis: str = "logit",
) -> alt.Chart:
    """Draw a scatter with a menu of the shifts, zoom, and a legend that hides series.

    Args:
        measurements: One row per model and data set, see ``tables.measurements``.
        fits: One row per baseline fit, see ``robustness_table`` there.
        robustness: Effective robustness, one row per model and shift, see ``robustness_table``.
        models: Name of a model -> its kind, settings, ingredients and recipe, for the tooltip.
        axis: Scale of both axes: logit, probit or linear.

    Returns:
        The chart.
    """
    table = _points(measurements, robustness, models, axis)
    lines = _fit_lines(measurements, fits, axis)
    shift_names = list(table["shift"].drop_duplicates())
    menu = alt.param(
        name="shift",
        value=shift_names[0],
        bind=alt.binding_select(
            options=shift_names,
            name="Accuracy under shift on  ",
        ),
    )
    legend_selection = alt.selection_point(fields=["series"], bind="legend")
    # A click on a series in the legend fades all others.
    opacity = alt.condition(legend_selection, alt.value(1.0), alt.value(0.06))
    channels = _channels(table, reference(measurements), axis)
    return (
        alt.layer(
            _fit_layer(lines),
            _sweep_layer(table, channels, opacity),
            _point_layer(table, channels, opacity),
        )
        .add_params(menu, legend_selection)
        .properties(width=WIDTH, height=HEIGHT)
        .configure_axis(
            gridColor="#EEEEEE",
            labelFontSize=11,
            titleFontSize=12,
        )
        .configure_view(stroke=None)
        .interactive()
    )


def _channels(
    table: pd.DataFrame,
    reference_name: str,
    axis: str,
) -> _Channels:
    """Axes and legend."""
    series = _series(table)
    names = list(series)
    colours = [entry["colour"] for entry in series.values()]
    shapes = [entry["shape"] for entry in series.values()]
    legend = alt.Legend(
        symbolOpacity=1,
        symbolSize=70,
        symbolLimit=60,
        labelLimit=300,
    )
    return _Channels(
        x=alt.X(
            "x:Q",
            title=f"Accuracy on {reference_name} (%)",
            **_scale(table, "x", axis),
        ),
        y=alt.Y(
            "y:Q",
            title="Accuracy under shift (%)",
            **_scale(table, "y", axis),
        ),
        colour=alt.Color(
            "series:N",
            title=None,
            scale=alt.Scale(domain=names, range=colours),
            legend=legend,
        ),
        shape=alt.Shape(
            "series:N",
            title=None,
            scale=alt.Scale(domain=names, range=shapes),
            legend=legend,
        ),
    )


def _fit_layer(lines: pd.DataFrame) -> alt.Chart:
    """The baseline fit of the selected shift."""
    chart = alt.Chart(lines).transform_filter(IS_SELECTED_SHIFT)
    line = chart.mark_line(color=BASELINE_FIT_COLOUR, strokeWidth=1.5)
    return line.encode(x="x:Q", y="y:Q")


def _sweep_layer(
    table: pd.DataFrame,
    channels: _Channels,
    opacity: dict[str, Any],
) -> alt.Chart:
    """A line for each sweep."""
    chart = alt.Chart(table).transform_filter(f"{IS_SELECTED_SHIFT} && {IS_SWEEP}")
    return chart.mark_line(size=1.5).encode(
        x=channels.x,
        y=channels.y,
        color=channels.colour,
        detail="sweep:N",
        order="alpha:Q",
        opacity=opacity,
    )


def _point_layer(
    table: pd.DataFrame,
    channels: _Channels,
    opacity: dict[str, Any],
) -> alt.Chart:
    """A point for each model and each alpha between the end models, with a tooltip."""
    tooltip = []
    for column, title in TOOLTIP.items():
        tooltip.append(alt.Tooltip(f"{column}:N", title=title))
    chart = alt.Chart(table).transform_filter(
        f"{IS_SELECTED_SHIFT} && {IS_DRAWN_AS_POINT}"
    )
    return chart.mark_point(filled=True).encode(
        x=channels.x,
        y=channels.y,
        color=channels.colour,
        shape=channels.shape,
        size=alt.Size("size:Q", scale=None, legend=None),
        opacity=opacity,
        tooltip=tooltip,
    )


def to_html(chart: alt.Chart, title: str) -> str:
    """Write a whole page with a chart and all scripts in it.

    Args:
        chart: The chart.
        title: Title of the page, plain text.

    Returns:
        An HTML document.
    """
    # With "ast" Vega evaluates its expressions itself, so that the page need not allow eval().
    options = json_for_script(
        {
            "actions": False,
            "renderer": "svg",
            "ast": True,
        }
    )
    spec = json_for_script(chart.to_dict())
    script = f"vegaEmbed('#vis', {spec}, {options}).catch(console.error);"
    return render_page(
        title,
        [HEAD, '<div id="vis"></div>'],
        scripts=[_library(), script],
        style=STYLE,
    )


@cache
def _library() -> str:
    """Vega-Embed with all that it needs, of the version that Altair writes for."""
    major, minor = alt.SCHEMA_VERSION.split(".")[:2]
    return vl_convert.javascript_bundle(vl_version=f"{major}_{minor}")


def _series(table: pd.DataFrame) -> dict[str, dict[str, str]]:
    """What the legend lists, kinds of models and then sweeps -> colour and shape."""
    series = {}
    is_outside_sweeps = table["sweep"] == ""
    kinds = table.loc[is_outside_sweeps, ["kind", "series"]].drop_duplicates()
    for kind, name in kinds.itertuples(index=False):
        kind_look = look(kind)
        series[name] = {
            "colour": kind_look.colour,
            "shape": _vega_shape(kind_look.marker),
        }
    sweeps = table.loc[~is_outside_sweeps, "series"].drop_duplicates()
    for i, name in enumerate(sweeps):
        series[name] = {
            "colour": PALETTE[i % len(PALETTE)],
            "shape": "circle",
        }
    return series


def _vega_shape(marker: Marker) -> str:
    """A marker of matplotlib as Vega reads it: an SVG path between -1 and 1, from the top."""
    if marker == "o":
        return "circle"
    style = MarkerStyle(marker)
    path = style.get_transform().transform_path(style.get_path())
    (corners,) = path.to_polygons()
    # The last corner repeats the first one.
    corners = corners[:-1] / np.abs(corners).max()
    # In SVG y points down. Adding 0.0 turns -0.0 into 0.0, which would be written as -0.000.
    texts = [f"{x:.3f},{-y + 0.0:.3f}" for x, y in corners]
    return f"M{'L'.join(texts)}Z"


def _series_name(label: str, sweep: str) -> str:
    """What the legend calls a kind of models, or one sweep of that kind."""
    name = f"{label} to {sweep}" if sweep else label
    return one_line(name, 100)


def _points(
    measurements: pd.DataFrame,
    robustness: pd.DataFrame,
    models: dict[str, dict[str, Any]],
    axis: str,
) -> pd.DataFrame:
    """The table of the chart: a row per model and shift that have a place on both axes."""
    forward, _ = axis_transforms(axis)
    is_held_out = measurements["role"] == "held-out"
    held_out = measurements[is_held_out].set_index("model")
    tables = []
    for dataset in _shifts(measurements):
        of_dataset = robustness[robustness["dataset"] == dataset].drop(
            columns="dataset"
        )
        table = paired_accuracies(measurements, dataset).merge(
            of_dataset,
            on=KEY,
            how="left",
            suffixes=("", "_robustness"),
        )
        x = clip_to_axis(table["reference_value"], table["reference_n"], axis)
        y = clip_to_axis(table["value"], table["n"], axis)
        # An accuracy of 0 or 1 has an infinite coordinate and is left out below.
        with np.errstate(divide="ignore"):
            table = table.assign(x=forward(x), y=forward(y))
        is_finite = np.isfinite(table["x"]) & np.isfinite(table["y"])
        rows = []
        for row in table[is_finite].itertuples():
            rows.append(_point(row, _shift_name(dataset), held_out, models))
        tables.append(pd.DataFrame(rows))
    return pd.concat(tables, ignore_index=True)


def _point(
    row: Any,
    shift_name: str,
    held_out: pd.DataFrame,
    models: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """The row of one model under one shift in the table of the chart."""
    recipe_text = recipe(row.model, row.sweep, row.alpha, models)
    on_reference = _percent(
        row.reference_value,
        row.reference_low,
        row.reference_high,
        row.reference_n,
    )
    return {
        "model": one_line(row.model, 200),
        "kind": row.kind,
        "sweep": row.sweep,
        "x": row.x,
        "y": row.y,
        "size": STAR_SIZE if row.kind == "zero-shot" else MARK_SIZE,
        "series": _series_name(look(row.kind).label, row.sweep),
        "alpha": None if pd.isna(row.alpha) else row.alpha,
        "shift": shift_name,
        "recipe": one_line(recipe_text, 1000),
        "on_reference": on_reference,
        "under_shift": _percent(row.value, row.low, row.high, row.n),
        "on_held_out": _held_out_text(held_out, row.model),
        "effective_robustness": _robustness_text(
            row.effective_robustness, row.low_robustness, row.high_robustness
        ),
    }


def _shifts(measurements: pd.DataFrame) -> list[str]:
    """The mean of the shifts, if there are several, and every shift."""
    shifts = datasets(measurements, "shift")
    if len(shifts) < 2:
        return shifts
    return [*datasets(measurements, "mean"), *shifts]


def _shift_name(dataset: str) -> str:
    """What the menu calls a shift."""
    return "mean of shifts" if dataset == SHIFT_MEAN else dataset


def recipe(
    model: str,
    target: str,
    alpha: float,
    models: dict[str, dict[str, Any]],
) -> str:
    """Describe in one line what a model is made of.

    Args:
        model: Name of the model.
        target: Target of its sweep; "" where it is in no sweep.
        alpha: Its position in the sweep.
        models: Name of a model -> its kind, settings, ingredients and recipe.

    Returns:
        Kind, coefficients and hyperparameters, as far as they are known.
    """
    if target:
        return f"{1 - alpha:g} zero-shot + {alpha:g} {target}"
    entry = models.get(model, {})
    phrases = [entry.get("kind", "")]
    if entry.get("recipe"):
        phrases.append(_coefficients_text(entry["recipe"]))
    elif entry.get("ingredients"):
        phrases.append(f"of {', '.join(entry['ingredients'])}")
    for key, value in sorted(entry.get("settings", {}).items()):
        if key not in HIDDEN_HYPERPARAMETERS and value not in NOTHING_SET:
            phrases.append(f"{key.replace('_', ' ')} {value}")
    return "; ".join(phrases).strip("; ")


def _coefficients_text(recipe: dict[str, Any]) -> str:
    """The coefficients of a soup, by names of ingredients."""
    name_of_sha = {sha: name for name, sha in recipe["ingredient_names"].items()}
    coefficients = recipe["ingredients"]
    if not all(isinstance(value, float) for value in coefficients.values()):
        return f"of {', '.join(name_of_sha.values())}, with coefficients per part"
    terms = []
    for sha, value in coefficients.items():
        # The zero-shot model is the only ingredient without a name.
        terms.append(f"{value:.3g} {name_of_sha.get(sha, 'zero-shot')}")
    return " + ".join(terms)


def _percent(
    value: float,
    low: float,
    high: float,
    n: float,
) -> str:
    """An accuracy in percent, with its interval and the number of images if they are known."""
    text = _with_interval(f"{100 * value:.1f} %", low, high, ".1f")
    if pd.isna(n):
        return text
    return f"{text}, n = {int(n):,}"


def _robustness_text(
    value: float,
    low: float,
    high: float,
) -> str:
    """Effective robustness in percentage points with its interval; "" where it is not known."""
    if pd.isna(value):
        return ""
    return _with_interval(f"{100 * value:+.1f}", low, high, "+.1f")


def _with_interval(
    text: str,
    low: float,
    high: float,
    number_format: str,
) -> str:
    if pd.isna(low) or pd.isna(high):
        return text
    low_text = format(100 * low, number_format)
    high_text = format(100 * high, number_format)
    return f"{text} [{low_text}, {high_text}]"


def _held_out_text(held_out: pd.DataFrame, model: str) -> str:
    """Accuracy of a model on the held-out set; "" where it was not measured."""
    if model not in held_out.index:
        return ""
    # A model may have several rows, of which the first counts.
    row = held_out.loc[[model]].iloc[0]
    return _percent(row["value"], row["low"], row["high"], row["n"])


def _fit_lines(
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
    axis: str,
) -> pd.DataFrame:
    """Lines of the baseline fits, as points between the models on the reference."""
    forward, _ = axis_transforms(axis)
    # Vega-Lite needs the columns even if there is no fit.
    rows = [
        {
            "x": 0.0,
            "y": 0.0,
            "shift": "",
        }
    ]
    for row in fits.itertuples():
        table = paired_accuracies(measurements, row.dataset)
        ends = [table["reference_value"].min(), table["reference_value"].max()]
        start, stop = np.clip(ends, row.piece_start, row.piece_end)
        accuracies = np.clip(
            np.linspace(start, stop, FIT_POINT_COUNT),
            LOWEST_FIT_ACCURACY,
            HIGHEST_FIT_ACCURACY,
        )
        fit = BaselineFit(row.slope, row.intercept, row.r, row.n, row.axis)
        with np.errstate(divide="ignore"):
            x_values = forward(accuracies)
            y_values = forward(fit.predict(accuracies))
        shift_name = _shift_name(row.dataset)
        for x, y in zip(x_values, y_values):
            if np.isfinite(y):
                rows.append(
                    {
                        "x": x,
                        "y": y,
                        "shift": shift_name,
                    }
                )
    return pd.DataFrame(rows)


def _scale(
    table: pd.DataFrame,
    column: str,
    axis: str,
) -> dict[str, Any]:
    """Range and labels of an axis, whose values are transformed accuracies.

    The range shows all models except baselines, which may lie far from the others.
    """
    forward, inverse = axis_transforms(axis)
    visible = table[table["kind"] != BASELINE]
    if not len(visible):
        visible = table
    low, high = limits(inverse(visible[column].to_numpy()), axis)
    domain = [float(forward(low)), float(forward(high))]
    # Labels reach over all models, as the wheel may zoom out.
    label_low, label_high = limits(inverse(table[column].to_numpy()), axis)
    label_of_value = {}
    for accuracy in ticks(label_low, label_high, axis, gap=0.03):
        value = round(float(forward(accuracy)), 6)
        label_of_value[value] = f"{100 * accuracy:.4g}"
    # Vega-Lite has no table of labels, so this is a chain of conditions.
    cases = []
    for value, label in label_of_value.items():
        cases.append(f"abs(datum.value - {value}) < 1e-6 ? '{label}'")
    label_expression = " : ".join([*cases, "''"])
    return {
        "scale": alt.Scale(domain=domain, zero=False, nice=False),
        "axis": alt.Axis(
            values=list(label_of_value),
            labelExpr=label_expression,
        ),
    }
