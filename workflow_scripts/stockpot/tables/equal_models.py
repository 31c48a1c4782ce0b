"""Models and sweeps with the same accuracies everywhere: in a figure one hides the other."""

import pandas as pd

from .measurements import BASELINE


def equal_models(measurements: pd.DataFrame) -> list[list[str]]:
    """Groups of models, points of sweeps apart, that are equal on every data set."""
    single = measurements[
        (measurements["curve"] == "") & (measurements["kind"] != BASELINE)
    ]
    return equal_groups(single, "model", ["dataset"], "value")


def equal_sweeps(measurements: pd.DataFrame) -> list[list[str]]:
    """Groups of sweeps that are equal on every data set at every alpha."""
    points = measurements[measurements["curve"] != ""]
    return equal_groups(points, "curve", ["alpha", "dataset"], "value")


def equal_groups(
    table: pd.DataFrame, name: str, places: list[str], value: str
) -> list[list[str]]:
    """Names whose values are the same at all places, two or more to a group, in order.

    Args:
        table: A row per name and place.
        name: The column of the names.
        places: The columns that say where a value was measured.
        value: The column of the values.
    """
    groups = {}
    for one, rows in table.groupby(name, sort=False):
        rows = rows.sort_values(places)
        values = tuple(rows[[*places, value]].itertuples(index=False, name=None))
        groups.setdefault(values, []).append(one)
    return [names for names in groups.values() if len(names) > 1]


def said(texts: dict[str, str], groups: list[list[str]]) -> dict[str, str]:
    """Name -> its legend text; of a group, all but the first say that they equal the first."""
    first = {name: names[0] for names in groups for name in names[1:]}
    return {
        name: f"{text} (= {first[name]})" if name in first else text
        for name, text in texts.items()
    }
