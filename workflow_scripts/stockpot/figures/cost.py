"""What a method costs to make, beside what it gains."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ..drawing.labels import MANY, Name, draw_names
from ..drawing.model_colours import look
from ..drawing.robustness_axes import shifts_name
from ..drawing.style import TWO_COLUMNS, panel_width, seconds_axis, title
from . import FigureDeclaration
from .methods import IMPORTANT, group_of

FIGURE = FigureDeclaration(
    draws="cost",
    caption="""
**Cost and gain.** Gain over the best single run on held-out data, on the reference and on
{shifts}, against the seconds that the method took with all its ingredients. Seconds are
of this machine, of the jobs that made the files (a job that resumed or found predictions in the
store took less); memory and images are in cost.csv. Crosses answer with several models per image.
Of more than 20 models soups, ensembles and the best run alone have names. n: {sizes}.
""",
)

SIZE = 5.2  # points of the names' type
OUTLINED = [withStroke(linewidth=1.6, foreground="white")]


def draw(tables: dict, style: dict) -> tuple[Figure, pd.DataFrame]:
    """Two panels, a point per method."""
    table = tables["table"]
    shown = table[table["all_seconds"].notna()]
    panels_and_names = []
    result = Figure((TWO_COLUMNS, 3.3), layout="constrained")
    for panel, column, text in zip(
        result.subplots(1, 2),
        ("gain_reference", "gain_shifts"),
        ("Reference", shifts_name(tables)),
    ):
        panel.axhline(0, color="#444444", lw=0.7)
        for row in shown.itertuples():
            mark = look(row.kind).small_mark
            if row.forward > 1:
                mark["marker"] = "X"
            panel.plot(row.all_seconds, 100 * getattr(row, column), **mark)
        panel.set_xscale("log")
        if len(shown):
            seconds_axis(
                panel.xaxis, shown["all_seconds"].min(), shown["all_seconds"].max()
            )
        panel.margins(x=0.18)
        title(panel, text, panel_width(2))
        panel.set_xlabel("Seconds, with all ingredients")
        panel.set_ylabel("Over the best single run (points)")
        panels_and_names.append((panel, _names(shown, column)))
    result.draw_without_rendering()  # names need the final places of the panels
    result.set_layout_engine("none")
    for panel, names in panels_and_names:
        draw_names(panel, names, SIZE, path_effects=OUTLINED)
    return result, table


def _names(table: pd.DataFrame, column: str) -> list[Name]:
    """Names of soups, ensembles and the best run first; of many models no others."""
    groups = table["kind"].map(group_of)
    important = groups.isin(IMPORTANT)
    runs = table[~important]
    best = runs[column].idxmax() if runs[column].notna().any() else None
    order = [*table.index[important], *runs.index[runs.index == best]]
    if len(table) <= MANY:
        order += [index for index in table.index if index not in order]
    return [
        Name(
            table.loc[index, "model"],
            table.loc[index, "all_seconds"],
            100 * table.loc[index, column],
            look(table.loc[index, "kind"]).colour,
        )
        for index in order
        if pd.notna(table.loc[index, column])
    ]
