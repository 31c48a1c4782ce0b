"""What the data sets look like: one row per data set, one column per class."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..datasets.dataset import Dataset
from .style import TWO_COLUMNS, context


def contact_sheet(
    datasets: list[Dataset], columns: int = 12, texts: dict[str, str] | None = None
) -> tuple[Figure, pd.DataFrame]:
    """The first image of every shown class in every data set, and which image that is.

    columns: classes shown, those that most data sets have, evenly spread over the class list of
    the first. texts: class -> how it is called. A class that a data set lacks leaves a gap.
    """
    names = datasets[0].class_names
    places = [_first_images(dataset) for dataset in datasets]
    shown = _spread(names, [sum(name in place for place in places) for name in names], columns)
    rows = []
    with context():
        height = TWO_COLUMNS / (len(shown) + 1.6) * len(datasets)
        figure = Figure(figsize=(TWO_COLUMNS, height + 0.2), layout="constrained")
        grid = figure.subplots(len(datasets), len(shown), squeeze=False)
        for panels, dataset, place in zip(grid, datasets, places):
            for panel, name in zip(panels, shown):
                panel.set(xticks=[], yticks=[])
                panel.spines[:].set_visible(False)
                if name in place:
                    panel.imshow(np.asarray(dataset.images[place[name]]), interpolation="nearest")
                    rows.append({"dataset": dataset.name, "class": name, "row": place[name]})
            panels[0].set_ylabel(dataset.name, rotation=0, ha="right", va="center")
        for panel, name in zip(grid[0], shown):
            panel.set_title(
                textwrap.fill((texts or {}).get(name, name), 9, break_long_words=False),
                loc="center",
            )
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure, pd.DataFrame(rows)


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
