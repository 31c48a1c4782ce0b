"""The table to read first: every model on every test set, with intervals and significance."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from .comparisons import as_good_as_the_best
from .tables import ACCURACY, BASELINE, MEAN, MEAN_OF, datasets


def overview(
    measurements: pd.DataFrame, correct: Callable | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """Percent and half the interval, as text such as "91.2 ± 0.9".

    A row per model that is not a baseline; of a sweep alpha = 0.5, the best alpha on the held-out
    data, and the best under shift, which a test set chose and which is called oracle. With
    ``correct`` ((model, data set) -> bool [n]) the best of each column, and all that are not
    significantly worse, stand in **bold**; oracles take no part, nor columns of another metric
    than accuracy. Columns: model, kind, reference, shifts, "mean of shifts".
    """
    columns = datasets(measurements, "reference", "shift", "mean")
    rows = _rows(measurements)
    at = measurements.set_index(["model", "dataset"])[["value", "low", "high"]]
    bold = _bold(measurements, rows, columns, correct, confidence) if correct else {}
    texts = []
    for label, model, kind in rows:
        cells = []
        for dataset in columns:
            if (model, dataset) not in at.index:
                cells.append("")
                continue
            value, low, high = 100 * at.loc[(model, dataset)].to_numpy()
            text = f"{value:.1f} ± {(high - low) / 2:.1f}"
            marked = model in bold.get(dataset, ()) and not label.endswith("(oracle)")
            cells.append(f"**{text}**" if marked else text)
        if any(cells):
            texts.append([label, kind, *cells])
    titles = [_title(measurements, name) for name in columns]
    return pd.DataFrame(texts, columns=["model", "kind", *titles])


def _title(measurements: pd.DataFrame, name: str) -> str:
    metric = measurements.loc[measurements["dataset"] == name, "metric"].iloc[0]
    title = "mean of shifts" if name == MEAN else name
    return title if metric in (ACCURACY, MEAN_OF) else f"{title} ({metric.replace('-', ' ')})"


def _rows(measurements: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(label, model, kind) of what is shown."""
    shown, found = measurements[measurements["kind"] != BASELINE], []
    for (kind, curve), group in shown.groupby(["kind", "curve"], sort=False):
        if not curve:
            found += [(model, model, kind) for model in group["model"].drop_duplicates()]
            continue
        labels = {0.5: f"{curve}, alpha 0.50"}
        for part, what in (("held-out", "(best held-out)"), ("mean", "(oracle)")):
            chosen = group[group["role"] == part].groupby("alpha")["value"].mean()
            if len(chosen):
                best = chosen.idxmax()  # the smallest of equals
                if what != "(oracle)" or best not in labels:
                    labels[best] = f"{curve}, alpha {best:.2f} {what}"
        for alpha, label in labels.items():
            models = group.loc[np.isclose(group["alpha"], alpha), "model"]
            found += [(label, models.iloc[0], kind)] if len(models) else []
    return found


def _bold(measurements, rows, columns, correct, confidence) -> dict[str, set[str]]:
    """Data set -> models in bold."""
    shifts, found = datasets(measurements, "shift"), {}
    counted = set(measurements.loc[measurements["metric"] == ACCURACY, "dataset"])
    columns = [name for name in columns if name in counted]
    models = [model for label, model, _ in rows if not label.endswith("(oracle)")]
    for dataset in columns:
        sets = shifts if dataset == MEAN else [dataset]
        there = measurements[measurements["dataset"] == dataset].set_index("model")["value"]
        values = there[there.index.isin(models)].groupby(level=0, sort=False).first()
        if len(values):
            _, good = as_good_as_the_best(
                values, lambda m, sets=sets: [correct(m, d) for d in sets], confidence
            )
            found[dataset] = good
    return found
