"""What the data sets look like: one row per data set, one column per class."""

import logging

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..datasets.dataset import Dataset
from ..runtime.escape import one_line
from .style import RC, TWO_COLUMNS, context
from .texts import breaks_words, families_for, fit, width

log = logging.getLogger("stockpot")
SIZES = (
    8,
    7,
    6,
    5,
)  # points of the titles' type: the largest in which no word is broken
LINES = 4  # of a title
ROW_NAMES = 1.1  # inches that the names of the data sets take at most
GAP = 0.04  # inches between two images


def contact_sheet(
    datasets: list[Dataset], columns: int = 12, texts: dict[str, str] | None = None
) -> tuple[Figure, pd.DataFrame]:
    """The first image of every shown class in every data set, and which image that is.

    A class that a data set lacks leaves a gap.

    Args:
        datasets: One row each; the class list of the first is that of the columns.
        columns: Most classes shown: those that most data sets have, evenly spread over the list.
        texts: Class -> how it is called.

    Returns:
        The figure, and a table of data set, class and row of every image shown.
    """
    names = datasets[0].class_names
    places = [_first_images(dataset) for dataset in datasets]
    shown = _spread(
        names, [sum(name in place for place in places) for name in names], columns
    )
    titles, families, notes = _titles(names, shown, texts or {})
    if len(shown) < len(names):
        notes.insert(0, f"{len(shown)} of {len(names):,} classes.")
    rows = []
    with context():
        figure, grid = _grid(
            [dataset.name for dataset in datasets], titles, families, notes
        )
        for panels, dataset, place in zip(grid, datasets, places):
            for panel, name in zip(panels, shown):
                if name in place:
                    panel.imshow(
                        np.asarray(dataset.images[place[name]]), interpolation="nearest"
                    )
                    rows.append(
                        {"dataset": dataset.name, "class": name, "row": place[name]}
                    )
        figure.draw_without_rendering()
    return figure, pd.DataFrame(rows)


def _titles(
    names: list[str], shown: list[str], texts: dict[str, str]
) -> tuple[list[str], list[str], list[str]]:
    """A title per shown class, the fonts they need, and what a reader must be told of them.

    Where no font of this machine has the characters of a title, it is the class's own name, and
    where none has these either, its number in the class list.
    """
    own = {name: one_line(name, 100) for name in shown}
    titles = {name: one_line(texts.get(name, name), 100) for name in shown}
    _, missing = families_for(titles.values())
    numbered = 0
    for name, title in titles.items():
        if not missing & set(title):
            continue
        _, missing_in_own = families_for([own[name]])
        if missing_in_own:
            titles[name] = f"class {names.index(name) + 1}"
            numbered += 1
        else:
            titles[name] = own[name]
    if missing:
        log.warning(
            "no font of this machine has %s", one_line("".join(sorted(missing)), 200)
        )
    notes = []
    if numbered:
        notes.append(
            f"No font of this machine has the characters of {numbered} class names, so they have "
            "their numbers in the class list; samples.csv names them, in the order of the columns."
        )
    families, _ = families_for(titles.values())
    return list(titles.values()), families, notes


def _grid(
    names: list[str], titles: list[str], families: list[str], notes: list[str]
) -> tuple[Figure, list[list[Axes]]]:
    """The figure with its texts, and an empty panel per data set and class."""
    row_names = [
        fit(name, 72 * ROW_NAMES, RC["axes.labelsize"], lines=3) for name in names
    ]
    lines = [line for name in row_names for line in name.split("\n")]
    left = max(width(line, RC["axes.labelsize"]) for line in lines) / 72 + 0.12
    cell = min(0.7, (TWO_COLUMNS - left - 0.02) / len(titles))
    room = 72 * (cell - GAP)
    whole = [
        s for s in SIZES if not any(breaks_words(title, room, s) for title in titles)
    ]
    size = whole[0] if whole else SIZES[-1]
    titles = [fit(title, room, size, LINES) for title in titles]
    top = 1.3 * size / 72 * max(title.count("\n") + 1 for title in titles) + 0.06
    total_width = left + cell * len(titles) + 0.02
    note = fit(" ".join(notes), 72 * (total_width - 0.1), 6, lines=4) if notes else ""
    bottom = 0.1 + 8 / 72 * (note.count("\n") + 1) if note else 0.02
    total_height = top + cell * len(names) + bottom

    figure = Figure((total_width, total_height))
    grid = []
    for row, name in enumerate(row_names):
        y = total_height - top - cell * (row + 1)
        panels = []
        for column in range(len(titles)):
            x = left + cell * column
            inches = np.array([x, y, cell - GAP, cell - GAP])
            total = (total_width, total_height, total_width, total_height)
            panel = figure.add_axes(inches / total, xticks=[], yticks=[])
            panel.spines[:].set_visible(False)
            panels.append(panel)
        middle = (y + (cell - GAP) / 2) / total_height
        figure.text((left - 0.06) / total_width, middle, name, ha="right", va="center")
        grid.append(panels)
    for panel, title in zip(grid[0], titles):
        panel.set_title(
            title, fontsize=size, pad=2, linespacing=1.05, fontfamily=families
        )
    if note:
        figure.text(
            0.05 / total_width, 0.05 / total_height, note, fontsize=6, color="#555555"
        )
    return figure, grid


def _first_images(dataset: Dataset) -> dict[str, int]:
    """Class of the model -> its first image; one of several that a class stands for, too."""
    labels, rows = np.unique(dataset.labels, return_index=True)
    found = {}
    for label, row in zip(labels, rows):
        own = dataset.class_names[label]
        for name in (own, *dataset.scoring.merges.get(own, [])):
            found.setdefault(name, int(row))
    return found


def _spread(names: list[str], sets: list[int], columns: int) -> list[str]:
    """Names of as many classes, in order: those in the most sets, of equals evenly spread ones."""
    columns = min(columns, sum(n > 0 for n in sets))
    least = sorted(sets, reverse=True)[columns - 1]
    more = [i for i, n in enumerate(sets) if n > least]
    equal = [i for i, n in enumerate(sets) if n == least]
    chosen = np.linspace(0, len(equal) - 1, columns - len(more)).round().astype(int)
    return [names[i] for i in sorted({*more, *(equal[j] for j in chosen)})]
