"""What the data sets look like: one row per data set, one column per class."""

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..datasets.dataset import Dataset
from ..runtime.escape import one_line
from .style import RC, TWO_COLUMNS, matplotlib_settings
from .texts import breaks_words, families_for, fit_text, text_width

log = logging.getLogger("stockpot")

# Sizes of the titles' type in points: the largest in which no word is broken is taken.
TITLE_SIZES = (8, 7, 6, 5)
TITLE_LINES = 4
NOTE_SIZE = 6  # points of the note's type
ROW_NAME_WIDTH = 1.1  # inches that the names of the data sets take at most
LARGEST_CELL = 0.7  # inches of an image and the gap beside it
GAP = 0.04  # inches between two images
POINTS = 72  # per inch


@dataclass(frozen=True)
class _Layout:
    """Texts and sizes of a contact sheet; lengths are in inches.

    Attributes:
        row_names: Of the data sets, wrapped.
        titles: Of the classes, wrapped.
        title_size: Points of the titles' type.
        note: Below the images; "" if there is nothing to say.
        left: Width of the row names.
        cell: Width and height of an image and the gap beside it.
        top: Height of the titles.
        width: Of the figure.
        height: Of the figure.
    """

    row_names: list[str]
    titles: list[str]
    title_size: float
    note: str
    left: float
    cell: float
    top: float
    width: float
    height: float


def contact_sheet(
    datasets: list[Dataset],
    columns: int = 12,
    texts: dict[str, str] | None = None,
) -> tuple[Figure, pd.DataFrame]:
    """Show the first image of every shown class in every data set.

    A class that a data set lacks leaves a gap.

    Args:
        datasets: One row each; the class list of the first is that of the columns.
        columns: Most classes shown: those that most data sets have, evenly spread over the list.
        texts: Class -> text of its title.

    Returns:
        The figure, and a table of data set, class and row of every image shown.
    """
    class_names = datasets[0].class_names
    first_images = [_first_images(dataset) for dataset in datasets]
    # Class -> number of data sets that have it.
    dataset_counts = Counter(chain.from_iterable(first_images))
    counts = [dataset_counts[name] for name in class_names]
    shown = _spread(class_names, counts, columns)
    titles, families, notes = _titles(class_names, shown, texts or {})
    if len(shown) < len(class_names):
        notes.insert(0, f"{len(shown)} of {len(class_names):,} classes.")
    rows = []
    with matplotlib_settings():
        layout = _lay_out([dataset.name for dataset in datasets], titles, notes)
        figure, grid = _empty_grid(layout, families)
        for panels, dataset, first_rows in zip(grid, datasets, first_images):
            for panel, name in zip(panels, shown):
                if name in first_rows:
                    row = first_rows[name]
                    image = np.asarray(dataset.images[row])
                    panel.imshow(image, interpolation="nearest")
                    rows.append(
                        {
                            "dataset": dataset.name,
                            "class": name,
                            "row": row,
                        }
                    )
        figure.draw_without_rendering()
    return figure, pd.DataFrame(rows)


def _titles(
    class_names: list[str],
    shown: list[str],
    texts: dict[str, str],
) -> tuple[list[str], list[str], list[str]]:
    """A title per shown class, the fonts they need, and notes for the reader.

    Where no font of this machine has the characters of a title, the title is the class name, and
    where none has these either, it is the number of the class in the class list.
    """
    titles = {name: one_line(texts.get(name, name), 100) for name in shown}
    _, missing = families_for(titles.values())
    numbered = 0
    for name, title in titles.items():
        if not missing & set(title):
            continue
        plain_name = one_line(name, 100)
        _, missing_in_name = families_for([plain_name])
        if missing_in_name:
            titles[name] = f"class {class_names.index(name) + 1}"
            numbered += 1
        else:
            titles[name] = plain_name
    if missing:
        characters = one_line("".join(sorted(missing)), 200)
        log.warning("no font of this machine has %s", characters)
    notes = []
    if numbered:
        notes.append(
            f"No font of this machine has the characters of {numbered} class names, so they have "
            "their numbers in the class list; samples.csv names them, in the order of the columns."
        )
    families, _ = families_for(titles.values())
    return list(titles.values()), families, notes


def _lay_out(
    names: list[str],
    titles: list[str],
    notes: list[str],
) -> _Layout:
    """Wrap all texts, and from them find the sizes of everything."""
    label_size = RC["axes.labelsize"]
    row_names = [
        fit_text(name, POINTS * ROW_NAME_WIDTH, label_size, lines=3) for name in names
    ]
    lines = "\n".join(row_names).split("\n")
    widest = max(text_width(line, label_size) for line in lines)
    left = widest / POINTS + 0.12
    cell = min(LARGEST_CELL, (TWO_COLUMNS - left - 0.02) / len(titles))
    room = POINTS * (cell - GAP)
    title_size = _title_size(titles, room)
    titles = [fit_text(title, room, title_size, TITLE_LINES) for title in titles]
    most_lines = max(title.count("\n") + 1 for title in titles)
    top = 1.3 * title_size / POINTS * most_lines + 0.06
    width = left + cell * len(titles) + 0.02
    note = ""
    bottom = 0.02
    if notes:
        note_room = POINTS * (width - 0.1)
        note = fit_text(" ".join(notes), note_room, NOTE_SIZE, lines=4)
        # 8 points from line to line.
        bottom = 0.1 + 8 / POINTS * (note.count("\n") + 1)
    return _Layout(
        row_names=row_names,
        titles=titles,
        title_size=title_size,
        note=note,
        left=left,
        cell=cell,
        top=top,
        width=width,
        height=top + cell * len(names) + bottom,
    )


def _title_size(titles: list[str], room: float) -> float:
    """The largest size in which no word is wider than the room, else the smallest size."""
    for size in TITLE_SIZES:
        if not any(breaks_words(title, room, size) for title in titles):
            return size
    return TITLE_SIZES[-1]


def _empty_grid(
    layout: _Layout,
    families: list[str],
) -> tuple[Figure, list[list[Axes]]]:
    """The figure with its texts, and an empty panel per data set and class."""
    figure = Figure((layout.width, layout.height))
    grid = []
    for row, name in enumerate(layout.row_names):
        # matplotlib counts y from below, and rows are counted from above.
        y = layout.height - layout.top - layout.cell * (row + 1)
        panels = [
            _empty_panel(figure, layout, layout.left + layout.cell * column, y)
            for column in range(len(layout.titles))
        ]
        middle = (y + (layout.cell - GAP) / 2) / layout.height
        name_end = (layout.left - 0.06) / layout.width
        figure.text(name_end, middle, name, ha="right", va="center")
        grid.append(panels)
    for panel, title in zip(grid[0], layout.titles):
        panel.set_title(
            title,
            fontsize=layout.title_size,
            pad=2,
            linespacing=1.05,
            fontfamily=families,
        )
    if layout.note:
        figure.text(
            0.05 / layout.width,
            0.05 / layout.height,
            layout.note,
            fontsize=NOTE_SIZE,
            color="#555555",
        )
    return figure, grid


def _empty_panel(
    figure: Figure,
    layout: _Layout,
    x: float,
    y: float,
) -> Axes:
    """A panel without a frame, with its lower left corner at (x, y) in inches."""
    inches = np.array([x, y, layout.cell - GAP, layout.cell - GAP])
    # matplotlib takes fractions of the figure.
    figure_size = (layout.width, layout.height, layout.width, layout.height)
    panel = figure.add_axes(inches / figure_size, xticks=[], yticks=[])
    panel.spines[:].set_visible(False)
    return panel


def _first_images(dataset: Dataset) -> dict[str, int]:
    """Class of the model -> row of its first image.

    A class of the data set may stand for several classes of the model; then it is that of each.
    """
    labels, rows = np.unique(dataset.labels, return_index=True)
    first_rows: dict[str, int] = {}
    for label, row in zip(labels, rows):
        class_name = dataset.class_names[label]
        merged = dataset.scoring.merges.get(class_name, [])
        for name in (class_name, *merged):
            first_rows.setdefault(name, int(row))
    return first_rows


def _spread(
    names: list[str],
    dataset_counts: list[int],
    columns: int,
) -> list[str]:
    """The names of the classes that are shown, in order.

    Classes that more data sets have come first; among equals evenly spread ones are taken.
    """
    columns = min(columns, sum(count > 0 for count in dataset_counts))
    # All classes above the threshold are shown, and some of those that are at it.
    threshold = sorted(dataset_counts, reverse=True)[columns - 1]
    above = [i for i, count in enumerate(dataset_counts) if count > threshold]
    equal = [i for i, count in enumerate(dataset_counts) if count == threshold]
    steps = np.linspace(0, len(equal) - 1, columns - len(above))
    chosen = [equal[step] for step in steps.round().astype(int)]
    return [names[i] for i in sorted({*above, *chosen})]
