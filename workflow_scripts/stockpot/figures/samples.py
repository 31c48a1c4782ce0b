"""What the data sets look like: one row per data set, one column per class."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ..datasets.dataset import Dataset
from .style import TWO_COLUMNS, context


def contact_sheet(datasets: list[Dataset], columns: int = 12) -> tuple[Figure, pd.DataFrame]:
    """The first image of every shown class in every data set, and which image that is.

    columns: classes shown, evenly spread over the class list of the first data set. A class
    that a data set lacks leaves a gap.
    """
    names = datasets[0].class_names
    spread = np.linspace(0, len(names) - 1, min(columns, len(names))).round().astype(int)
    shown = [names[i] for i in spread]
    rows = []
    with context():
        height = TWO_COLUMNS / (len(shown) + 1.6) * len(datasets)
        figure = Figure(figsize=(TWO_COLUMNS, height + 0.2), layout="constrained")
        grid = figure.subplots(len(datasets), len(shown), squeeze=False)
        for panels, dataset in zip(grid, datasets):
            for panel, name in zip(panels, shown):
                panel.set(xticks=[], yticks=[])
                panel.spines[:].set_visible(False)
                labels = [i for i, other in enumerate(dataset.class_names) if other == name]
                found = np.flatnonzero(np.isin(dataset.labels, labels))
                if len(found):
                    panel.imshow(np.asarray(dataset.images[found[0]]), interpolation="nearest")
                    rows.append({"dataset": dataset.name, "class": name, "row": int(found[0])})
            panels[0].set_ylabel(dataset.name, rotation=0, ha="right", va="center")
        for panel, name in zip(grid[0], shown):
            panel.set_title(name, loc="center")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    return figure, pd.DataFrame(rows)
