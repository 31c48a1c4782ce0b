"""How every figure looks: sizes, the palette, axes, legends, and files with fixed bytes.

Colours and marks of kinds of models are in ``model_colours``.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike

from ..runtime.atomic_files import atomic
from ..statistics.robustness import axis_transforms
from .texts import FAMILY, fit_text, text_width

Legend = dict[str, Any]  # text -> handle, as ``Figure.legend`` takes it

# Widths of figures in inches.
ONE_COLUMN = 3.35
TWO_COLUMNS = 6.9
# Okabe and Ito's palette, which stays distinct under the common kinds of colour blindness.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#8C8C8C"
DARK_GREY = "#444444"  # of helping lines that should be seen
# Points of width of a legend's handle with the spaces at its sides.
HANDLE_WIDTH = 28
# Patterns of lines that help to read a figure; solid and the other patterns are for results.
DASHES = (0, (4, 3))
DOTS = (0, (1, 2))
ZERO_LINE = {"color": DARK_GREY, "lw": 0.7}
# Settings of matplotlib; sizes of type are in points.
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
# Distances between even ticks of an accuracy axis; the finest that fits is used.
TICK_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
# Distances from 0 and 1 of further ticks; the earlier ones are the rounder ones.
TICK_TAILS = (0.1, 0.05, 0.08, 0.06, 0.04, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0001)
# What makes a file differ from day to day or between versions is left out of it.
FILE_METADATA = {
    ".pdf": {"CreationDate": None},
    ".png": {"Software": None},
}


@contextmanager
def matplotlib_settings() -> Iterator[None]:
    """Run a block with matplotlib's defaults and our settings, whatever the user's are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def limits(
    values: ArrayLike,
    axis: str,
    margin: float = 0.06,
) -> tuple[float, float]:
    """Find the ends of an axis that holds the values with a margin on each side.

    Args:
        values: Accuracies, of any shape that is flat; those that are not finite do not count.
        axis: Scale of the axis: "logit", "probit" or "linear".
        margin: Width of each margin, as a fraction of the range of the values.

    Returns:
        Low and high end, as accuracies.
    """
    # Margins are even on the axis, not in accuracy.
    forward, inverse = axis_transforms(axis)
    positions = forward(np.asarray(values, dtype=float))
    positions = positions[np.isfinite(positions)]
    if len(positions):
        low = positions.min()
        high = positions.max()
    else:
        low = forward(0.25)
        high = forward(0.75)
    # One value alone has no range; it gets some space, too.
    space = margin * (high - low) or 0.1
    return float(inverse(low - space)), float(inverse(high + space))


def ticks(
    low: float,
    high: float,
    axis: str,
    gap: float = 0.11,
) -> list[float]:
    """Choose round percentages for the ticks of an accuracy axis.

    The ticks are even steps as fine as fit, then values near 0 and 100, where a logit or probit
    axis is wide.

    Args:
        low: Accuracy at the low end.
        high: Accuracy at the high end.
        axis: Scale of the axis: "logit", "probit" or "linear".
        gap: Least distance of two ticks, as a fraction of the axis.

    Returns:
        Accuracies between low and high, in order.
    """
    forward, _ = axis_transforms(axis)
    least_distance = gap * (forward(high) - forward(low))
    chosen: list[float] = []
    for step in TICK_STEPS:
        multiples = _multiples(low, high, step, axis)
        if _are_apart(multiples, least_distance, axis):
            chosen = multiples
            break
    if axis == "linear":
        return chosen
    for tail in TICK_TAILS:
        for accuracy in (tail, 1 - tail):
            in_view = low <= accuracy <= high
            if in_view and _are_apart([*chosen, accuracy], least_distance, axis):
                chosen = sorted([*chosen, accuracy])
    return chosen


def _multiples(
    low: float,
    high: float,
    step: float,
    axis: str,
) -> list[float]:
    """Multiples of a step between two accuracies, where they have a place on the axis."""
    forward, _ = axis_transforms(axis)
    counts = np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    accuracies = np.round(step * counts, 6) + 0.0  # + 0.0 makes 0 of -0
    return [
        float(accuracy)
        for accuracy in accuracies
        if accuracy <= 1 and np.isfinite(forward(accuracy))
    ]


def _are_apart(
    accuracies: list[float],
    least_distance: float,
    axis: str,
) -> bool:
    """Whether no two of them are closer on the axis than this distance."""
    forward, _ = axis_transforms(axis)
    distances = np.diff(forward(np.sort(accuracies)))
    return bool((distances >= least_distance).all())


def accuracy_axis(
    axes: Axes,
    which: Literal["x", "y"],
    ends: tuple[float, float],
    axis: str,
) -> None:
    """Make an axis of a panel one of accuracies, with ticks in percent.

    Args:
        axes: The panel.
        which: "x" or "y".
        ends: Low and high end, as accuracies.
        axis: Scale of the axis: "logit", "probit" or "linear".
    """
    # matplotlib's methods have the letter in their names: set_xlim, set_ylim and so on.
    axes.set(**{f"{which}lim": ends})
    axes.set(**{f"{which}scale": "linear"})
    if axis != "linear":
        set_scale = getattr(axes, f"set_{which}scale")
        set_scale("function", functions=axis_transforms(axis))
    positions = ticks(*ends, axis)
    labels = [f"{100 * position:.4g}" for position in positions]
    set_ticks = getattr(axes, f"set_{which}ticks")
    set_ticks(positions, labels)


def balanced_columns(panel_count: int, most: int) -> int:
    """Choose a number of columns for which the last row of panels is nearly full.

    Args:
        panel_count: Number of panels.
        most: Most columns.

    Returns:
        Number of columns, at least 1.
    """
    rows = -(-panel_count // most)  # rounded up
    return -(-panel_count // rows) if rows else 1


def panel_grid(
    panel_count: int,
    columns: int,
    height: float,
) -> tuple[Figure, list[Axes], list[Axes]]:
    """Make a figure of two columns of text with a grid of panels.

    A single panel is larger, and has a spare one at its side for the legend.

    Args:
        panel_count: Number of panels.
        columns: Panels side by side.
        height: Of a panel, in inches.

    Returns:
        The figure, the panels, and the spare panels of the last row.
    """
    rows = -(-panel_count // columns)  # rounded up
    size = (TWO_COLUMNS, height * rows)
    width_ratios = None
    if panel_count == 1:
        rows = 1
        columns = 2
        size = (1.5 * ONE_COLUMN, 1.2 * height)
        width_ratios = [2, 1]
    # "constrained" moves the panels so that no text is cut off or covered.
    figure = Figure(size, layout="constrained")
    grid = figure.subplots(
        rows,
        columns,
        squeeze=False,
        width_ratios=width_ratios,
    )
    panels = list(grid.ravel())
    return figure, panels[:panel_count], panels[panel_count:]


def panel_title(
    panel: Axes,
    text: str,
    inches: float,
) -> None:
    """Write a title on the left, in two lines at most, that ends where its panel does.

    Args:
        panel: The panel.
        text: The title; its middle is left out if it is too long.
        inches: Width that the title may take.
    """
    short = fit_text(text, 72 * inches, RC["axes.titlesize"], lines=2)
    panel.set_title(short, loc="left")


def panel_width(columns: int) -> float:
    """Tell how wide the title of a panel may be, in a figure of two columns of text.

    Args:
        columns: Panels side by side.

    Returns:
        Inches, without the ticks of y.
    """
    return TWO_COLUMNS / columns - 0.5


def tilted_names(
    panel: Axes,
    names: list[str],
    rotation: float,
) -> None:
    """Write names below x = 0, 1, 2 and so on, at an angle, so that they have more room.

    Args:
        panel: With one thing at each of these positions.
        names: One each, already short enough.
        rotation: The angle in degrees.
    """
    panel.set_xticks(
        range(len(names)),
        names,
        rotation=rotation,
        ha="right",
        rotation_mode="anchor",
    )


def row_names(names: Iterable[str], inches: float = 2.0) -> list[str]:
    """Shorten the names of rows; two rows never get the same name.

    Args:
        names: Of the rows; the middle of long ones is left out.
        inches: Width that a name may take.

    Returns:
        A name per row, with a number where it would repeat an earlier one.
    """
    # Names that differ only in their middle may be the same when it is left out.
    rows = []
    counts: dict[str, int] = {}
    for name in names:
        text = fit_text(name, 72 * inches, RC["ytick.labelsize"])
        counts[text] = counts.get(text, 0) + 1
        rows.append(text if counts[text] == 1 else f"{text} ({counts[text]})")
    return rows


def legend_outside(
    figure: Figure,
    legend: Legend,
    where: str,
    most: int = 4,
) -> None:
    """Draw the legend above or below the panels, in as many columns as fit.

    Args:
        figure: With a constrained layout.
        legend: Text -> handle.
        where: Position outside the panels, as "upper center".
        most: Most columns.
    """
    size = RC["legend.fontsize"]
    room = 72 * figure.get_figwidth() - 10
    texts = [fit_text(text, room - HANDLE_WIDTH, size) for text in legend]
    # As many as are wanted, then one less at a time.
    columns = max(1, min(most, len(texts)))
    while columns > 1 and _legend_width(texts, columns, size) > room:
        columns -= 1
    figure.legend(
        list(legend.values()),
        texts,
        loc=f"outside {where}",
        ncols=columns,
    )


def short_legend(
    figure: FigureBase,
    legend: Legend,
    where: str,
    columns: int,
    **properties: Any,
) -> None:
    """Draw a legend of a few short texts outside the panels, however wide the figure is.

    Args:
        figure: Figure or subfigure, with a constrained layout.
        legend: Text -> handle.
        where: Position outside the panels, as "upper right".
        columns: Number of columns.
        properties: Further ones of the legend.
    """
    figure.legend(
        legend.values(),
        legend.keys(),
        loc=f"outside {where}",
        ncols=columns,
        **properties,
    )


def _legend_width(
    texts: list[str],
    columns: int,
    size: float,
) -> float:
    """Width in points of a legend with so many columns, which are filled from above."""
    widths = [text_width(text, size) + HANDLE_WIDTH for text in texts]
    return sum(max(column) for column in np.array_split(widths, columns))


def handle(**properties: Any) -> Line2D:
    """Make a handle of a legend.

    Args:
        properties: Those of the line or the points that it stands for.

    Returns:
        A line without points.
    """
    return Line2D([], [], **properties)


def dots(colour: str, size: float, **properties: Any) -> dict[str, Any]:
    """Describe dots without a line between them.

    Args:
        colour: Of the dots.
        size: Their diameter in points.
        properties: Further ones, as ``mfc`` for hollow dots.

    Returns:
        Keyword arguments of ``plot`` and of ``handle``.
    """
    return {
        "marker": "o",
        "ls": "",
        "ms": size,
        "color": colour,
        **properties,
    }


def line_pattern(number: int, colours: Sequence[str]) -> dict[str, Any]:
    """Choose colour and dashes of one of many lines: all colours solid, then dashed, then dotted.

    Args:
        number: Of the line, from 0.
        colours: Those that a figure uses.

    Returns:
        Keyword arguments of ``plot`` and of ``handle``.
    """
    dashes = ("-", "--", ":")
    return {
        "color": colours[number % len(colours)],
        "ls": dashes[number // len(colours) % len(dashes)],
    }


def draw_band(
    panel: Axes,
    x: pd.Series,
    table: pd.DataFrame,
    colour: str,
) -> None:
    """Draw intervals of fractions as a band, in percent or points.

    Args:
        panel: To draw in.
        x: One value per row of the table.
        table: With columns low and high.
        colour: Of the line that the band belongs to.
    """
    panel.fill_between(
        x,
        100 * table["low"],
        100 * table["high"],
        color=colour,
        alpha=0.15,
        linewidth=0,
    )


def alpha_ticks(panel: Axes) -> None:
    """Give the x axis ticks at every quarter of alpha, with few labels.

    Args:
        panel: With alpha on x.
    """
    panel.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])


def upper_first(text: str) -> str:
    """Write the first letter of a title as a capital, and leave the rest as it is.

    Args:
        text: As "mean of shifts" or the name of a data set.

    Returns:
        As "Mean of shifts".
    """
    return text[:1].upper() + text[1:]


def seconds_axis(
    axis: Axis,
    low: float,
    high: float,
) -> None:
    """Give a logarithmic axis of seconds few ticks, however wide its range is.

    Args:
        axis: ``panel.xaxis`` or ``panel.yaxis``.
        low: Least value that is shown, in seconds.
        high: Largest value that is shown, in seconds.
    """
    # On a wide axis labels at 2 and 5 would touch each other.
    ticks_per_decade = (1, 2, 5) if high / low < 50 else (1,)
    axis.set_major_locator(LogLocator(subs=ticks_per_decade, numticks=6))
    axis.set_major_formatter(
        lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"
    )
    axis.set_minor_formatter(NullFormatter())


def label_grid(
    figure: Figure,
    spare: list[Axes],
    legend: Legend,
    x_label: str,
    y_label: str,
) -> None:
    """Draw the labels that the panels of a ``panel_grid`` share, and the legend.

    The legend stands in a spare panel where it fits, else on top.

    Args:
        figure: As ``panel_grid`` gives it.
        spare: The spare panels.
        legend: Text -> handle.
        x_label: Label below all panels.
        y_label: Label at the left of all panels.
    """
    figure.supxlabel(x_label, fontsize=RC["axes.labelsize"])
    figure.supylabel(y_label, fontsize=RC["axes.labelsize"])
    for panel in spare:
        panel.set_axis_off()
    columns = figure.axes[0].get_subplotspec().get_gridspec().ncols
    # The legend may stand out of the panel a little: 1.2.
    room = 1.2 * 72 * figure.get_figwidth() / columns - HANDLE_WIDTH
    size = RC["legend.fontsize"]
    if spare and all(text_width(text, size) <= room for text in legend):
        spare[-1].legend(
            legend.values(),
            legend.keys(),
            loc="center",
            borderpad=0,
        )
    else:
        legend_outside(figure, legend, "upper center")


def text_figure(text: str) -> Figure:
    """Make a figure that has nothing to show, and says so.

    Args:
        text: The reason.

    Returns:
        A small figure of this text.
    """
    figure = Figure((ONE_COLUMN, 0.7))
    figure.text(
        0.5,
        0.5,
        text,
        ha="center",
        va="center",
        wrap=True,
    )
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a figure as PDF or PNG. The same figure gives the same bytes.

    Args:
        figure: Any figure.
        path: Its suffix is the format, ".pdf" or ".png" (200 dpi).

    Raises:
        ValueError: If the suffix is another one.
    """
    path = Path(path)
    if path.suffix not in FILE_METADATA:
        raise ValueError(
            f"cannot write {path.name}; allowed: {', '.join(FILE_METADATA)}"
        )
    with matplotlib_settings(), atomic(path) as temporary:
        figure.savefig(
            temporary,
            format=path.suffix[1:],
            metadata=FILE_METADATA[path.suffix],
        )
