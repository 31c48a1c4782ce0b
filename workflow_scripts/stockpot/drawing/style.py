"""How every figure looks: sizes, the palette, accuracy axes, and files with fixed bytes.

Colours and marks of kinds of models are in ``looks``.
"""

from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from ..runtime.atomic_files import atomic
from ..statistics.robustness import transforms
from .texts import FAMILY, fit, width

ONE_COLUMN, TWO_COLUMNS = 3.35, 6.9  # inches
# Okabe and Ito's palette, which stays distinct under the common kinds of colour blindness.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
HANDLE = 28  # points of width of a legend's handle with the spaces at its sides
# Of helping lines; solid and the other patterns are for results.
DASHES, DOTS = (0, (4, 3)), (0, (1, 2))
RC = {
    "font.family": FAMILY,
    "text.parse_math": False,  # names are text: "$5 to $10" is no formula
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E8E8E8",
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.1,
    "pdf.fonttype": 42,  # embedded TrueType: text in the PDF stays text
    "savefig.dpi": 200,
}


@contextmanager
def context():
    """A block in which matplotlib's settings are its defaults plus ours."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def limits(values, axis: str, margin: float = 0.06) -> tuple[float, float]:
    """Ends of an axis that holds the values with a margin on each side, as accuracies."""
    forward, inverse = transforms(axis)
    x = forward(np.asarray(values, dtype=float))
    x = x[np.isfinite(x)]
    low, high = (x.min(), x.max()) if len(x) else (forward(0.25), forward(0.75))
    space = margin * (high - low) or 0.1
    return float(inverse(low - space)), float(inverse(high + space))


def ticks(low: float, high: float, axis: str, gap: float = 0.11) -> list[float]:
    """Round percentages in [low, high], no two closer than ``gap`` of the axis.

    Even steps as fine as fit, then values near 0 and 100, where a logit axis is wide.
    """
    forward, _ = transforms(axis)
    least = gap * (forward(high) - forward(low))

    def apart(places):
        return (np.diff(forward(np.sort(places))) >= least).all()

    def multiples(step):
        count = np.arange(np.ceil(low / step), np.floor(high / step) + 1)
        places = np.round(step * count, 6) + 0.0
        return [float(x) for x in places if x <= 1 and np.isfinite(forward(x))]

    steps = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    chosen = next((multiples(step) for step in steps if apart(multiples(step))), [])
    tails = (0.1, 0.05, 0.08, 0.06, 0.04, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0001)
    for x in (
        [end for tail in tails for end in (tail, 1 - tail)] if axis != "linear" else ()
    ):
        if low <= x <= high and apart([*chosen, x]):
            chosen = sorted([*chosen, x])
    return chosen


def accuracy_axis(axes: Axes, which: str, ends: tuple[float, float], axis: str) -> None:
    """Make x or y (``which``) an accuracy axis with these ends and ticks in percent."""
    axes.set(**{f"{which}lim": ends})
    axes.set(**{f"{which}scale": "linear"})
    if axis != "linear":
        getattr(axes, f"set_{which}scale")("function", functions=transforms(axis))
    places = ticks(*ends, axis)
    getattr(axes, f"set_{which}ticks")(
        places, [f"{100 * place:.4g}" for place in places]
    )


def balanced(n: int, most: int) -> int:
    """Columns for n panels, at most so many, so that the last row is nearly full."""
    rows = -(-n // most)
    return -(-n // rows) if rows else 1


def grid(n: int, columns: int, height: float) -> tuple[Figure, list[Axes], list[Axes]]:
    """A two-column figure with n panels of this height: (figure, panels, spare panels).

    One panel is larger, and has the spare one at its side.
    """
    columns, rows = (2, 1) if n == 1 else (columns, -(-n // columns))
    size = (1.5 * ONE_COLUMN, 1.2 * height) if n == 1 else (TWO_COLUMNS, height * rows)
    figure = Figure(size, layout="constrained")
    widths = [2, 1] if n == 1 else None
    axes = list(
        figure.subplots(rows, columns, squeeze=False, width_ratios=widths).ravel()
    )
    return figure, axes[:n], axes[n:]


def title(panel: Axes, text: str, inches: float) -> None:
    """A title on the left, in two lines at most, that ends where its panel does."""
    panel.set_title(fit(text, 72 * inches, RC["axes.titlesize"], lines=2), loc="left")


def panel_width(columns: int) -> float:
    """Inches that a panel of a two-column figure has for its title, beside the ticks of y."""
    return TWO_COLUMNS / columns - 0.5


def row_names(names: Iterable[str], inches: float = 2.0) -> list[str]:
    """Names of rows, the middle of long ones left out; no two of them the same."""
    rows, times = [], {}
    for name in names:
        text = fit(name, 72 * inches, RC["ytick.labelsize"])
        times[text] = times.get(text, 0) + 1
        rows.append(text if times[text] == 1 else f"{text} ({times[text]})")
    return rows


def legend_outside(figure: Figure, legend: dict, where: str, most: int = 4) -> None:
    """The legend (text -> handle) above or below the panels, in as many columns as fit."""
    size, room = RC["legend.fontsize"], 72 * figure.get_figwidth() - 10
    texts = [fit(text, room - HANDLE, size) for text in legend]
    widths = [width(text, size) + HANDLE for text in texts]
    columns = max(1, min(most, len(texts)))
    while (
        columns > 1
        and sum(max(part) for part in np.array_split(widths, columns)) > room
    ):
        columns -= 1
    figure.legend(list(legend.values()), texts, loc=f"outside {where}", ncols=columns)


def seconds_axis(axis, low: float, high: float) -> None:
    """A logarithmic axis with few ticks, however far its ends are from each other."""
    steps = (1, 2, 5) if high / low < 50 else (1,)
    axis.set_major_locator(LogLocator(subs=steps, numticks=6))
    axis.set_major_formatter(
        lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"
    )
    axis.set_minor_formatter(NullFormatter())


def finish(figure: Figure, spare: list[Axes], legend: dict, x: str, y: str) -> None:
    """Common labels of a ``grid``; the legend (text -> handle) in a spare panel or on top."""
    figure.supxlabel(x, fontsize=RC["axes.labelsize"])
    figure.supylabel(y, fontsize=RC["axes.labelsize"])
    for panel in spare:
        panel.set_axis_off()
    columns = figure.axes[0].get_subplotspec().get_gridspec().ncols
    room = (
        1.2 * 72 * figure.get_figwidth() / columns - HANDLE
    )  # it may stand out a little
    size = RC["legend.fontsize"]
    if spare and all(width(text, size) <= room for text in legend):
        spare[-1].legend(legend.values(), legend.keys(), loc="center", borderpad=0)
    else:
        legend_outside(figure, legend, "upper center")


def sentence(text: str) -> Figure:
    """A figure that has nothing to show, and says so."""
    figure = Figure((ONE_COLUMN, 0.7))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write PDF or PNG (200 dpi), by suffix. The same figure gives the same bytes."""
    path = Path(path)
    metadata = {".pdf": {"CreationDate": None}, ".png": {"Software": None}}
    if path.suffix not in metadata:
        raise ValueError(f"cannot write {path.name}; allowed: {', '.join(metadata)}")
    with context(), atomic(path) as temporary:
        figure.savefig(
            temporary, format=path.suffix[1:], metadata=metadata[path.suffix]
        )
