"""What a reader of the overview must know beside its numbers, a sentence each."""

import pandas as pd

from .tables import BASELINE, LEAST, datasets


def notes(
    status: dict[str, str], overlap: pd.DataFrame, measurements: pd.DataFrame, fits: pd.DataFrame
) -> list[str]:
    """Sentences on runs without a result, shared images, and lines that could not be drawn.

    status: model -> "ok" or how its run ended. overlap: columns seen_in, dataset, shared, n.
    measurements, fits: see ``tables``.
    """
    found = [f"{name}: no result, this run {end}." for name, end in status.items() if end != "ok"]
    found += [
        f"{row.dataset}: {row.shared} of its {row.n} images are also in {row.seen_in}."
        for row in overlap[overlap["shared"] > 0].itertuples()
    ]
    baseline = measurements.loc[measurements["kind"] == BASELINE, "model"].nunique()
    missing = set(datasets(measurements, "shift", "mean")) - set(fits["dataset"])
    if baseline and missing:
        found.append(
            f"No line of the standard models and no effective robustness on "
            f"{', '.join(sorted(missing))}: a line needs {LEAST} models that differ on the "
            f"reference, and {baseline} have a result."
        )
    return found
