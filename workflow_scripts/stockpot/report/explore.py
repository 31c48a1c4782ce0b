"""The interactive scatter: every model on the reference and under shift, its recipe on hover.

Vega-Lite through Altair; the scripts are written into the page, which needs no network.
"""

from functools import cache

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
from matplotlib.markers import MarkerStyle

from ..drawing.model_colours import Marker, look
from ..drawing.style import limits, ticks
from ..runtime.escape import one_line
from ..statistics.robustness import Line, inside, transforms
from ..tables.escape import json_for_script
from ..tables.measurements import BASELINE, KEY, MEAN, datasets, pairs, reference
from .page import page

WIDTH, HEIGHT = 720, 520
HEAD = """<p>Hover over a point for its recipe, numbers and intervals. The wheel zooms, dragging
moves the plot, a double click brings it back; a click on the legend shows one series alone. Lines
of points are sweeps from the zero-shot model to the model at the other end, a colour each. The
grey line, if any, is fitted through the standard models, most of which lie below and left of the
view.</p>"""


SIZE, STAR_SIZE = 60, 240  # square pixels
# Of curves, in their order; with more than these, colours come again. None is a family's.
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
# The menu stands above the scatter.
STYLE = """#vis { display: flex; flex-direction: column-reverse; align-items: flex-start; }
#vis form.vega-bindings { margin-bottom: .8rem; }
#vg-tooltip-element { max-width: 26rem; }
#vg-tooltip-element table tr td.key { max-width: 9rem; }
#vg-tooltip-element table tr td.value { max-width: 17rem; white-space: normal; }
"""


def explore(
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
    rho: pd.DataFrame,
    models: dict[str, dict],
    axis: str = "logit",
) -> alt.Chart:
    """A scatter with a menu of the shifts, zoom by wheel, and a legend that hides kinds.

    models: name -> kind, settings, ingredients and recipe: what the hover tells.
    """
    table, lines = (
        _points(measurements, rho, models, axis),
        _lines(measurements, fits, axis),
    )
    names = list(table["under"].drop_duplicates())
    menu = alt.param(
        name="under",
        value=names[0],
        bind=alt.binding_select(options=names, name="Accuracy under shift on  "),
    )
    series = _series(table)
    shown = alt.selection_point(fields=["series"], bind="legend")
    legend = alt.Legend(symbolOpacity=1, symbolSize=70, symbolLimit=60, labelLimit=300)
    domain = list(series)
    colours = [entry["colour"] for entry in series.values()]
    shapes = [entry["shape"] for entry in series.values()]
    colour = alt.Color(
        "series:N",
        title=None,
        scale=alt.Scale(domain=domain, range=colours),
        legend=legend,
    )
    shape = alt.Shape(
        "series:N",
        title=None,
        scale=alt.Scale(domain=domain, range=shapes),
        legend=legend,
    )
    size = alt.Size("size:Q", scale=None, legend=None)
    x = alt.X(
        "x:Q",
        title=f"Accuracy on {reference(measurements)} (%)",
        **_scale(table, "x", axis),
    )
    y = alt.Y("y:Q", title="Accuracy under shift (%)", **_scale(table, "y", axis))
    there = "datum.under == under"
    faded = alt.condition(shown, alt.value(1.0), alt.value(0.06))
    fit = (
        alt.Chart(lines)
        .transform_filter(there)
        .mark_line(color="#8C8C8C", strokeWidth=1.5)
    )
    curves = (
        alt.Chart(table)
        .transform_filter(f"{there} && datum.curve != ''")
        .mark_line(size=1.5)
    )
    # The ends of a sweep are models with marks of their own.
    inner = f"{there} && (datum.curve == '' || (datum.alpha > 0 && datum.alpha < 1))"
    marks = alt.Chart(table).transform_filter(inner).mark_point(filled=True)
    told = [
        alt.Tooltip(f"{field}:N", title=title)
        for field, title in (
            ("model", "model"),
            ("recipe", "recipe"),
            ("on_reference", "reference"),
            ("under_shift", "under shift"),
            ("on_held_out", "held-out"),
            ("robustness", "effective robustness"),
        )
    ]
    return (
        alt.layer(
            fit.encode(x="x:Q", y="y:Q"),
            curves.encode(
                x=x, y=y, color=colour, detail="curve:N", order="alpha:Q", opacity=faded
            ),
            marks.encode(
                x=x,
                y=y,
                color=colour,
                shape=shape,
                size=size,
                opacity=faded,
                tooltip=told,
            ),
        )
        .add_params(menu, shown)
        .properties(width=WIDTH, height=HEIGHT)
        .configure_axis(gridColor="#EEEEEE", labelFontSize=11, titleFontSize=12)
        .configure_view(stroke=None)
        .interactive()
    )


def to_html(chart: alt.Chart, title: str) -> str:
    """A whole page with all scripts in it.

    Vega evaluates its expressions itself (``ast``), so that the page need not allow ``eval``.
    """
    options = json_for_script({"actions": False, "renderer": "svg", "ast": True})
    draw = f"vegaEmbed('#vis', {json_for_script(chart.to_dict())}, {options}).catch(console.error);"
    return page(
        title, [HEAD, '<div id="vis"></div>'], scripts=[_library(), draw], style=STYLE
    )


@cache
def _library() -> str:
    """Vega-Embed with all that it needs, of the version that Altair writes for."""
    major, minor = alt.SCHEMA_VERSION.split(".")[:2]
    return vl_convert.javascript_bundle(vl_version=f"{major}_{minor}")


def _series(table: pd.DataFrame) -> dict[str, dict]:
    """What the legend lists, kinds of models and then curves -> colour and shape."""
    single = table[table["curve"] == ""]
    series = {}
    for kind, name in (
        single[["kind", "series"]].drop_duplicates().itertuples(index=False)
    ):
        series[name] = {"colour": look(kind).colour, "shape": _shape(look(kind).marker)}
    curves = table.loc[table["curve"] != "", "series"].drop_duplicates()
    for place, name in enumerate(curves):
        series[name] = {"colour": PALETTE[place % len(PALETTE)], "shape": "circle"}
    return series


def _shape(marker: Marker) -> str:
    """A mark of matplotlib as Vega wants it: an SVG path between -1 and 1, from the top."""
    if marker == "o":
        return "circle"
    style = MarkerStyle(marker)
    (corners,) = style.get_transform().transform_path(style.get_path()).to_polygons()
    corners = corners[:-1] / np.abs(corners).max()  # the last is the first
    texts = [f"{x:.3f},{-y + 0.0:.3f}" for x, y in corners]
    return f"M{'L'.join(texts)}Z"


def _series_of(label: str, curve: str) -> str:
    """What the legend calls a kind of models, or one sweep of that kind."""
    return one_line(f"{label} to {curve}" if curve else label, 100)


def _points(measurements, rho, models, axis) -> pd.DataFrame:
    forward, _ = transforms(axis)
    held_out = measurements[measurements["role"] == "held-out"].set_index("model")
    parts = []
    for dataset in _shifts(measurements):
        table = pairs(measurements, dataset).merge(
            rho[rho["dataset"] == dataset].drop(columns="dataset"),
            on=KEY,
            how="left",
            suffixes=("", "_rho"),
        )
        x = inside(table["reference_value"], table["reference_n"], axis)
        y = inside(table["value"], table["n"], axis)
        with np.errstate(divide="ignore"):
            table = table.assign(x=forward(x), y=forward(y))
        table = table[np.isfinite(table["x"]) & np.isfinite(table["y"])]
        rows = [
            {
                "model": one_line(row.model, 200),
                "kind": row.kind,
                "curve": row.curve,
                "x": row.x,
                "y": row.y,
                "size": STAR_SIZE if row.kind == "zero-shot" else SIZE,
                "series": _series_of(look(row.kind).label, row.curve),
                "alpha": None if pd.isna(row.alpha) else row.alpha,
                "under": "mean of shifts" if dataset == MEAN else dataset,
                "recipe": one_line(
                    recipe(row.model, row.curve, row.alpha, models), 1000
                ),
                "on_reference": _percent(
                    row.reference_value,
                    row.reference_low,
                    row.reference_high,
                    row.reference_n,
                ),
                "under_shift": _percent(row.value, row.low, row.high, row.n),
                "on_held_out": _held_out(held_out, row.model),
                "robustness": ""
                if pd.isna(row.rho)
                else _interval(
                    f"{100 * row.rho:+.1f}", row.low_rho, row.high_rho, "+.1f"
                ),
            }
            for row in table.itertuples()
        ]
        parts.append(pd.DataFrame(rows))
    return pd.concat(parts, ignore_index=True)


def _shifts(measurements: pd.DataFrame) -> list[str]:
    """Their mean, where there are several, and every shift."""
    shifts = datasets(measurements, "shift")
    return [*datasets(measurements, "mean"), *shifts] if len(shifts) > 1 else shifts


def recipe(model: str, curve: str, alpha: float, models: dict[str, dict]) -> str:
    """What a model is made of, in one line; of a soup the mix that was found."""
    if curve:
        return f"{1 - alpha:g} zero-shot + {alpha:g} {curve}"
    entry = models.get(model, {})
    settings = {k: v for k, v in entry.get("settings", {}).items() if _telling(k, v)}
    parts = [_mix(entry["recipe"])] if entry.get("recipe") else []
    if entry.get("ingredients") and not parts:
        parts = [f"of {', '.join(entry['ingredients'])}"]
    parts += [
        f"{key.replace('_', ' ')} {value}" for key, value in sorted(settings.items())
    ]
    return "; ".join([entry.get("kind", ""), *parts]).strip("; ")


def _mix(recipe: dict) -> str:
    """The coefficients that a soup was found with, by name."""
    names = {sha: name for name, sha in recipe["ingredient_names"].items()}
    terms = recipe["ingredients"].items()
    if not all(isinstance(share, float) for _, share in terms):
        return f"of {', '.join(names.values())}, with coefficients per part"
    return " + ".join(
        f"{share:.3g} {names.get(sha, 'zero-shot')}" for sha, share in terms
    )


def _telling(key: str, value) -> bool:
    """Is this setting worth a line? Not where it is nothing."""
    hidden = (
        "variant",
        "method",
        "architecture",
        "precision",
        "batch_size",
        "store_logits",
    )
    return key not in hidden and value not in (0, 0.0, "", None, False, [], {})


def _percent(value, low, high, n) -> str:
    text = _interval(f"{100 * value:.1f} %", low, high, ".1f")
    return text if pd.isna(n) else f"{text}, n = {int(n):,}"


def _interval(text: str, low, high, form: str) -> str:
    if pd.isna(low) or pd.isna(high):
        return text
    return f"{text} [{format(100 * low, form)}, {format(100 * high, form)}]"


def _held_out(held_out: pd.DataFrame, model: str) -> str:
    if model not in held_out.index:
        return ""
    row = held_out.loc[[model]].iloc[0]
    return _percent(row["value"], row["low"], row["high"], row["n"])


def _lines(measurements, fits, axis) -> pd.DataFrame:
    """Lines of the standard models as two or more points each."""
    forward, _ = transforms(axis)
    rows = [{"x": 0.0, "y": 0.0, "under": ""}]  # Vega-Lite needs the columns
    for row in fits.itertuples():
        table = pairs(measurements, row.dataset)
        ends = [table["reference_value"].min(), table["reference_value"].max()]
        at = np.clip(np.linspace(*np.clip(ends, row.start, row.end), 60), 1e-3, 0.999)
        line = Line(row.slope, row.intercept, row.r, row.n, row.axis)
        with np.errstate(divide="ignore"):
            x, y = forward(at), forward(line.predict(at))
        under = "mean of shifts" if row.dataset == MEAN else row.dataset
        rows += [
            {"x": a, "y": b, "under": under} for a, b in zip(x, y) if np.isfinite(b)
        ]
    return pd.DataFrame(rows)


def _scale(table: pd.DataFrame, column: str, axis: str) -> dict:
    """Ends and round percentages of an axis in transformed accuracies."""
    forward, inverse = transforms(axis)
    models = table[table["kind"] != BASELINE]
    ends = limits(inverse((models if len(models) else table)[column].to_numpy()), axis)
    places = ticks(*limits(inverse(table[column].to_numpy()), axis), axis, gap=0.03)
    texts = {round(float(forward(p)), 6): f"{100 * p:.4g}" for p in places}
    cases = [
        f"abs(datum.value - {value}) < 1e-6 ? '{text}'" for value, text in texts.items()
    ]
    return {
        "scale": alt.Scale(
            domain=[float(forward(end)) for end in ends], zero=False, nice=False
        ),
        "axis": alt.Axis(values=list(texts), labelExpr=" : ".join([*cases, "''"])),
    }
