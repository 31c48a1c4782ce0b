"""Models and sweeps with the same accuracies everywhere: in a figure one hides the other."""

import pandas as pd

from .measurements import BASELINE


def equal_models(measurements: pd.DataFrame) -> list[list[str]]:
    """Find models that are equal on every data set; points of sweeps are left out.

    Args:
        measurements: See ``measurements.measure``.

    Returns:
        Groups of two names or more.
    """
    is_single = measurements["sweep"] == ""
    is_baseline = measurements["kind"] == BASELINE
    models = measurements[is_single & ~is_baseline]
    return equal_groups(models, "model", ["dataset"], "value")


def equal_sweeps(measurements: pd.DataFrame) -> list[list[str]]:
    """Find sweeps that are equal on every data set at every alpha.

    Args:
        measurements: See ``measurements.measure``.

    Returns:
        Groups of two targets or more.
    """
    is_point = measurements["sweep"] != ""
    points = measurements[is_point]
    return equal_groups(points, "sweep", ["alpha", "dataset"], "value")


def equal_groups(
    table: pd.DataFrame,
    name: str,
    keys: list[str],
    value: str,
) -> list[list[str]]:
    """Find names that have the same value for every key.

    Args:
        table: A row per name and key.
        name: The column of the names.
        keys: The columns that say where a value was measured.
        value: The column of the values.

    Returns:
        Groups of two names or more, in the order of the table.
    """
    # Names with the same (key, value) pairs fall into one group.
    names_by_values: dict[tuple, list[str]] = {}
    columns = [*keys, value]
    for one_name, rows in table.groupby(name, sort=False):
        # Sorted, so that the order of the rows does not count.
        sorted_rows = rows.sort_values(keys)
        pairs = sorted_rows[columns].itertuples(index=False, name=None)
        values = tuple(pairs)
        names = names_by_values.setdefault(values, [])
        names.append(one_name)
    groups = names_by_values.values()
    return [names for names in groups if len(names) > 1]


def legend_texts(
    texts: dict[str, str],
    groups: list[list[str]],
) -> dict[str, str]:
    """Say in legends which names are equal to which.

    Args:
        texts: Name -> its text in the legend.
        groups: Of equal names.

    Returns:
        The same; in each group, the text of all except the first says that they equal the
        first.
    """
    legend = dict(texts)
    for first, *others in groups:
        for name in others:
            if name in texts:
                legend[name] = f"{texts[name]} (= {first})"
    return legend
