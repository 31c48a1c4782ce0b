"""The table to read first: every model on every test set, with intervals and significance."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ..alpha import selectors
from ..merging import methods
from ..statistics.comparisons import as_good_as_the_best
from ..statistics.order import natural
from ..training import variants
from .measurements import ACCURACY, BASELINE, MEAN, MEAN_OF, datasets

CHOSEN = "(chosen)"  # ends the name of a row whose alpha the default rule chose
ORACLE = "(oracle)"  # of one that a test set chose
MOST_IN_BOLD = 0.75  # share of a column's models; of more in bold, bold would tell nobody anything


def overview(
    measurements: pd.DataFrame, correct: Callable | None = None, confidence: float = 0.95
) -> pd.DataFrame:
    """The table of ``overview_and_notes``."""
    return overview_and_notes(measurements, correct, confidence)[0]


def overview_and_notes(
    measurements: pd.DataFrame, correct: Callable | None = None, confidence: float = 0.95
) -> tuple[pd.DataFrame, list[str]]:
    """Percent and half the interval, as text such as "91.2 ± 0.9".

    A row per model that is not a baseline. A sweep has alpha = 0.5, the alpha that the default rule
    chooses (``alpha.selectors.DEFAULT``), and the best under shift, which a test set chose and
    which is called oracle. Soups stand
    first, then ensembles, WiSE-FT, and what they are made of; model-2 before model-10. With
    ``correct`` the best of each column, and all that are not significantly worse, stand in
    **bold**; oracles take no part, nor columns of another metric than accuracy. Where that would
    be more than three quarters of a column, nothing in it is bold.

    Args:
        measurements: See ``tables.measure``.
        correct: (model, data set) -> bool [n]; without it nothing is bold.
        confidence: Of the tests.

    Returns:
        The table, with columns model, kind, reference, shifts, and "mean of shifts" where there
        are several; and sentences that say which rule chose alpha and where nothing is bold.
    """
    columns = datasets(measurements, "reference", "shift")
    if len(datasets(measurements, "shift")) > 1:
        columns += datasets(measurements, "mean")
    rows = _rows(measurements)
    at = measurements.set_index(["model", "dataset"])[["value", "low", "high"]]
    good = _as_good_as_the_best(measurements, rows, columns, correct, confidence) if correct else {}
    bold = {name: models for name, (models, n) in good.items() if len(models) <= MOST_IN_BOLD * n}
    texts = []
    for label, model, kind in rows:
        cells = []
        for dataset in columns:
            if (model, dataset) not in at.index:
                cells.append("")
                continue
            value, low, high = 100 * at.loc[(model, dataset)].to_numpy()
            text = f"{value:.1f} ± {(high - low) / 2:.1f}"
            marked = model in bold.get(dataset, ()) and not label.endswith(ORACLE)
            cells.append(f"**{text}**" if marked else text)
        if any(cells):
            texts.append([label, kind, *cells])
    titles = [_title(measurements, name) for name in columns]
    table = pd.DataFrame(texts, columns=["model", "kind", *titles])
    sentences = _rule(rows)
    undecided = [
        f"{'the mean of shifts' if name == MEAN else name} ({len(models)} of {n})"
        for name, (models, n) in good.items()
        if name not in bold
    ]
    if undecided:
        sentences.append(
            f"Nothing is bold on {', '.join(undecided)}: so many models are not significantly "
            "worse than the best there, and bold would say nothing. More images would tell them "
            "apart."
        )
    return table, sentences


def _rule(rows: list[tuple[str, str, str]]) -> list[str]:
    """A sentence that names the rule behind the rows called chosen, if there are any."""
    if not any(label.endswith(CHOSEN) for label, _, _ in rows):
        return []
    rule = selectors.label(selectors.DEFAULT)
    return [f"Chosen: alpha by the default rule ({rule}), without a test label."]


def _title(measurements: pd.DataFrame, name: str) -> str:
    metric = measurements.loc[measurements["dataset"] == name, "metric"].iloc[0]
    title = "mean of shifts" if name == MEAN else name
    return title if metric in (ACCURACY, MEAN_OF) else f"{title} ({metric.replace('-', ' ')})"


def _rows(measurements: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(label, model, kind) of what is shown, in the order of the rows."""
    shown = measurements[measurements["kind"] != BASELINE]
    rows = []
    for (kind, curve), group in shown.groupby(["kind", "curve"], sort=False):
        if not curve:
            for model in sorted(group["model"].drop_duplicates(), key=natural):
                rows.append((_rank(kind), natural(""), (model, model, kind)))
            continue
        labels = {0.5: f"{curve}, alpha 0.50"}
        chosen = _chosen(selectors.DEFAULT, group)
        if chosen is not None:
            labels[chosen] = f"{curve}, alpha {chosen:.2f} {CHOSEN}"
        best = _chosen("oracle-shifts", group)
        if best is not None:
            labels.setdefault(best, f"{curve}, alpha {best:.2f} {ORACLE}")
        for alpha, label in labels.items():
            models = group.loc[np.isclose(group["alpha"], alpha), "model"]
            if len(models):
                rows.append((_rank(kind), natural(curve), (label, models.iloc[0], kind)))
    return [row for *_, row in sorted(rows, key=lambda row: row[:2])]


def _chosen(rule: str, sweep: pd.DataFrame) -> float | None:
    """The alpha that a rule chooses of a sweep's rows; None where they lack what it reads."""
    held_out = sweep[sweep["role"] == "held-out"].groupby("alpha")
    shifts = sweep[sweep["role"] == "mean"].groupby("alpha")
    columns = {
        "n": held_out["n"].first(),
        "held_out": held_out["value"].mean(),
        "shifts": shifts["value"].mean(),
    }
    curve = pd.DataFrame(columns).rename_axis("alpha").reset_index()
    curve = curve.dropna(subset=sorted(selectors.needs(rule)))
    return selectors.choose(rule, curve) if len(curve) else None


def _rank(kind: str) -> int:
    """Soups first, then ensembles, WiSE-FT, the zero-shot model, and the runs."""
    if kind == "zero-shot":
        return 3
    if kind in variants.names():
        return 4
    if kind == "wise-ft":
        return 2
    return 1 if kind in methods.names() and methods.mixes(kind) == "outputs" else 0


def _as_good_as_the_best(
    measurements, rows, columns, correct, confidence
) -> dict[str, tuple[set[str], int]]:
    """Data set -> models that are not significantly worse than the best, and of how many."""
    shifts, found = datasets(measurements, "shift"), {}
    counted = set(measurements.loc[measurements["metric"] == ACCURACY, "dataset"])
    columns = [name for name in columns if name in counted]
    models = [model for label, model, _ in rows if not label.endswith(ORACLE)]
    for dataset in columns:
        sets = shifts if dataset == MEAN else [dataset]
        there = measurements[measurements["dataset"] == dataset].set_index("model")["value"]
        values = there[there.index.isin(models)].groupby(level=0, sort=False).first()
        if len(values):
            _, good = as_good_as_the_best(
                values, lambda m, sets=sets: [correct(m, d) for d in sets], confidence
            )
            found[dataset] = (good, len(values))
    return found
