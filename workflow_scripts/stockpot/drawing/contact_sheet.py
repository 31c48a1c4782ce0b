"""What the data sets look like: one row per data set, one column per class."""

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import Any

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
        footnote: Below the images; "" if there is nothing to say.
        name_width: Of the row names.
        cell_size: Width and height of an image and the gap beside it.
        title_height: Of the titles.
        figure_width: Of everything.
        figure_height: Of everything.
    """

    row_names: list[str]
    titles: list[str]
    title_size: float
    footnote: str
    name_width: float
    cell_size: float
    title_height: float
    figure_width: float
    figure_height: float


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
    # Characters that no font here has would be drawn as empty boxes.
    titles, families, notes = _titles(class_names, shown, texts or {})
    if len(shown) < len(class_names):
        notes.insert(0, f"{len(shown)} of {len(class_names):,} classes.")
    rows = []
    with matplotlib_settings():
        names = [dataset.name for dataset in datasets]
        layout = _lay_out(names, titles, notes)
        figure, grid = _empty_grid(layout, families)
        for panels, dataset, first_rows in zip(grid, datasets, first_images):
            rows += _draw_row(panels, dataset, shown, first_rows)
        figure.draw_without_rendering()
    return figure, pd.DataFrame(rows)


def _draw_row(
    panels: list[Axes],
    dataset: Dataset,
    shown: list[str],
    first_rows: dict[str, int],
) -> list[dict[str, Any]]:
    """Draw the images of one data set, and return which images these are."""
    rows = []
    for panel, name in zip(panels, shown):
        if name not in first_rows:
            continue
        row = first_rows[name]
        image = np.asarray(dataset.images[row])
        # Pixels stay as they are: smoothing would hide how coarse an image is.
        panel.imshow(image, interpolation="nearest")
        image_row = {
            "dataset": dataset.name,
            "class": name,
            "row": row,
        }
        rows.append(image_row)
    return rows


def _titles(
    class_names: list[str],
    shown: list[str],
    texts: dict[str, str],
) -> tuple[list[str], list[str], list[str]]:
    """A title per shown class, the fonts they need, and notes for the reader.

    Where no font of this machine has the characters of a title, the title is the class name, and
    where none has these either, it is the number of the class in the class list.
    """
    titles = {}
    for name in shown:
        title = texts.get(name, name)
        titles[name] = one_line(title, 100)
    _, missing = families_for(titles.values())
    numbered = 0
    for name, title in titles.items():
        if not missing & set(title):
            continue
        plain_name = one_line(name, 100)
        _, missing_in_name = families_for([plain_name])
        if missing_in_name:
            class_number = class_names.index(name) + 1
            titles[name] = f"class {class_number}"
            numbered += 1
        else:
            titles[name] = plain_name
    if missing:
        characters = one_line("".join(sorted(missing)), 200)
        log.warning("no font of this machine has %s", characters)
    notes = []
    if numbered:
        notes.append(
            f"No font of this machine has the characters of {numbered} class names. They are "
            "shown by their numbers in the class list; samples.csv has the names, in the "
            "order of the columns."
        )
    families, _ = families_for(titles.values())
    return list(titles.values()), families, notes


def _lay_out(
    names: list[str],
    titles: list[str],
    notes: list[str],
) -> _Layout:
    """Wrap all texts, and from them find the sizes of everything."""
    row_names, name_width = _wrap_row_names(names)
    # What is left of the width, for as many images side by side.
    image_room = (TWO_COLUMNS - name_width - 0.02) / len(titles)
    cell_size = min(LARGEST_CELL, image_room)
    title_room = POINTS * (cell_size - GAP)
    title_size = _title_size(titles, title_room)
    wrapped_titles = []
    line_counts = []
    for title in titles:
        wrapped = fit_text(title, title_room, title_size, TITLE_LINES)
        wrapped_titles.append(wrapped)
        line_counts.append(wrapped.count("\n") + 1)
    # 1.3: from line to line, and a little space below the last one.
    title_height = 1.3 * title_size / POINTS * max(line_counts) + 0.06
    figure_width = name_width + cell_size * len(titles) + 0.02
    footnote, note_height = _wrap_note(notes, figure_width)
    figure_height = title_height + cell_size * len(names) + note_height
    return _Layout(
        row_names=row_names,
        titles=wrapped_titles,
        title_size=title_size,
        footnote=footnote,
        name_width=name_width,
        cell_size=cell_size,
        title_height=title_height,
        figure_width=figure_width,
        figure_height=figure_height,
    )


def _wrap_row_names(names: list[str]) -> tuple[list[str], float]:
    """The wrapped names of the data sets, and the inches of width that they need."""
    type_size = RC["axes.labelsize"]
    room = POINTS * ROW_NAME_WIDTH
    wrapped = []
    widest = 0.0
    for name in names:
        row_name = fit_text(name, room, type_size, lines=3)
        wrapped.append(row_name)
        for line in row_name.split("\n"):
            line_width = text_width(line, type_size)
            widest = max(widest, line_width)
    # 0.12: the space between the names and the images.
    return wrapped, widest / POINTS + 0.12


def _wrap_note(notes: list[str], figure_width: float) -> tuple[str, float]:
    """The wrapped note and the inches of height below the images; "" without notes."""
    if not notes:
        return "", 0.02
    note_room = POINTS * (figure_width - 0.1)
    sentences = " ".join(notes)
    footnote = fit_text(sentences, note_room, NOTE_SIZE, lines=4)
    line_count = footnote.count("\n") + 1
    # 8 points from line to line.
    height = 0.1 + 8 / POINTS * line_count
    return footnote, height


def _title_size(titles: list[str], room: float) -> float:
    """The largest size in which no word is wider than the room, else the smallest size."""
    for title_size in TITLE_SIZES:
        broken = [title for title in titles if breaks_words(title, room, title_size)]
        if not broken:
            return title_size
    return TITLE_SIZES[-1]


def _empty_grid(
    layout: _Layout,
    families: list[str],
) -> tuple[Figure, list[list[Axes]]]:
    """The figure with its texts, and an empty panel per data set and class."""
    figure = Figure((layout.figure_width, layout.figure_height))
    row_count = len(layout.row_names)
    rows = [_empty_row(figure, layout, row) for row in range(row_count)]
    for panel, title in zip(rows[0], layout.titles):
        panel.set_title(
            title,
            fontsize=layout.title_size,
            pad=2,
            linespacing=1.05,
            fontfamily=families,
        )
    if layout.footnote:
        figure.text(
            0.05 / layout.figure_width,
            0.05 / layout.figure_height,
            layout.footnote,
            fontsize=NOTE_SIZE,
            color="#555555",
        )
    return figure, rows


def _empty_row(
    figure: Figure,
    layout: _Layout,
    row: int,
) -> list[Axes]:
    """The name of one data set, and an empty panel per class."""
    # matplotlib counts y from below, and rows are counted from above.
    bottom = layout.figure_height - layout.title_height - layout.cell_size * (row + 1)
    panels = []
    for column in range(len(layout.titles)):
        left = layout.name_width + layout.cell_size * column
        panels.append(_empty_panel(figure, layout, left, bottom))
    middle = bottom + (layout.cell_size - GAP) / 2
    right_end = layout.name_width - 0.06
    figure.text(
        right_end / layout.figure_width,
        middle / layout.figure_height,
        layout.row_names[row],
        ha="right",
        va="center",
    )
    return panels


def _empty_panel(
    figure: Figure,
    layout: _Layout,
    left: float,
    bottom: float,
) -> Axes:
    """A panel without a frame, with its lower left corner at this position in inches."""
    image_size = layout.cell_size - GAP
    inches = np.array([left, bottom, image_size, image_size])
    # matplotlib takes fractions of the figure.
    figure_size = (layout.figure_width, layout.figure_height)
    fractions = inches / (figure_size + figure_size)
    panel = figure.add_axes(fractions, xticks=[], yticks=[])
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
    available = sum(count > 0 for count in dataset_counts)
    columns = min(columns, available)
    # All classes above the threshold are shown, and some of those that are at it.
    sorted_counts = sorted(dataset_counts, reverse=True)
    threshold = sorted_counts[columns - 1]
    shown = []
    candidates = []
    for index, count in enumerate(dataset_counts):
        if count > threshold:
            shown.append(index)
        elif count == threshold:
            candidates.append(index)
    # Even steps through the class list, which may be sorted by subject.
    missing_count = columns - len(shown)
    positions = np.linspace(0, len(candidates) - 1, missing_count)
    for position in positions.round().astype(int):
        shown.append(candidates[position])
    class_indices = sorted(set(shown))
    return [names[index] for index in class_indices]
