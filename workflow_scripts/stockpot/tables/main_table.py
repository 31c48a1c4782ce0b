"""The table to read first: every model on every test set, with intervals and significance."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import compress

import numpy as np
import pandas as pd

from ..alpha import selectors
from ..merging import methods
from ..statistics.comparisons import as_good_as_the_best
from ..statistics.order import natural
from ..training import variants
from .display import to_latex, to_markdown, unbroken
from .measurements import ACCURACY, BASELINE, MEAN, MEAN_OF, datasets

CHOSEN = "(chosen)"  # ends the name of a row whose alpha the default rule chose
ORACLE = "(oracle)"  # of one that a test set chose
MOST_IN_BOLD = (
    0.75  # share of a column's models; of more in bold, bold would tell nobody anything
)


@dataclass(frozen=True)
class Row:
    """One row: what it is called, the model that it shows, and of which kind that is."""

    label: str
    model: str
    kind: str


@dataclass(frozen=True)
class Column:
    """One column: its heading, what stands in a row ("" for nothing), and its alignment."""

    heading: str
    text: Callable[[Row], str]
    left: bool = False  # of texts; numbers are aligned right


@dataclass(frozen=True)
class MainTable:
    """The table, the headings that are aligned left, and sentences to stand below it.

    rule: which rule chose alpha. notes: where nothing is bold.
    """

    table: pd.DataFrame
    left: frozenset[str]
    rule: list[str]
    notes: list[str]

    def markdown(self) -> str:
        return to_markdown(unbroken(self.table, self.left), self.left)

    def latex(self) -> str:
        return to_latex(self.table, self.left)


def columns(measurements: pd.DataFrame, bold: dict[str, set[str]]) -> list[Column]:
    """The columns from left to right. A new one is one more entry here.

    Args:
        measurements: See ``tables.measure``.
        bold: Data set -> models whose number stands in bold there.
    """
    sets = _shown_sets(measurements)
    accuracies = measurements.set_index(["model", "dataset"])[["value", "low", "high"]]
    return [
        Column("model", lambda row: row.label, left=True),
        Column("kind", lambda row: row.kind, left=True),
        *(
            Column(
                _title(measurements, name), partial(_accuracy, accuracies, name, bold)
            )
            for name in sets
        ),
    ]


def overview(
    measurements: pd.DataFrame,
    correct: Callable | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The table of ``main_table`` alone."""
    return main_table(measurements, correct, confidence).table


def main_table(
    measurements: pd.DataFrame,
    correct: Callable | None = None,
    confidence: float = 0.95,
) -> MainTable:
    """Percent and half the interval, as text such as "91.2 ± 0.9".

    A row per model that is not a baseline. A sweep has alpha = 0.5, the alpha that the default rule
    chooses (``alpha.selectors.DEFAULT``), and the best under shift, which a test set chose and
    which is called oracle. Soups stand first, then ensembles, WiSE-FT, and what they are made of;
    model-2 before model-10. With ``correct`` the best of each column, and all that are not
    significantly worse, stand in **bold**; oracles take no part, nor columns of another metric
    than accuracy. Where that would be more than three quarters of a column, nothing in it is bold.

    Args:
        measurements: See ``tables.measure``.
        correct: (model, data set) -> bool [n]; without it nothing is bold.
        confidence: Of the tests.

    Returns:
        The table, with columns model, kind, reference, shifts, and "mean of shifts" where there
        are several; and sentences that say which rule chose alpha and where nothing is bold.
    """
    rows = _rows(measurements)
    sets = _shown_sets(measurements)
    good = (
        _as_good_as_the_best(measurements, rows, sets, correct, confidence)
        if correct
        else {}
    )
    bold = {
        name: models
        for name, (models, n) in good.items()
        if len(models) <= MOST_IN_BOLD * n
    }
    shown = columns(measurements, bold)
    texts = [[column.text(row) for column in shown] for row in rows]
    numbers = [not column.left for column in shown]
    texts = [cells for cells in texts if any(compress(cells, numbers))]
    undecided = [
        f"{'the mean of shifts' if name == MEAN else name} ({len(models)} of {n})"
        for name, (models, n) in good.items()
        if name not in bold
    ]
    return MainTable(
        table=pd.DataFrame(texts, columns=[column.heading for column in shown]),
        left=frozenset(column.heading for column in shown if column.left),
        rule=_rule(rows),
        notes=_nothing_bold(undecided),
    )


def _nothing_bold(undecided: list[str]) -> list[str]:
    """A sentence that names the columns in which nothing is bold, if there are any."""
    if not undecided:
        return []
    return [
        f"Nothing is bold on {', '.join(undecided)}: so many models are not significantly worse "
        "than the best there, and bold would say nothing. More images would tell them apart."
    ]


def _shown_sets(measurements: pd.DataFrame) -> list[str]:
    """The reference, the shifts, and their mean where there are several."""
    names = datasets(measurements, "reference", "shift")
    if len(datasets(measurements, "shift")) > 1:
        names += datasets(measurements, "mean")
    return names


def _accuracy(
    accuracies: pd.DataFrame, dataset: str, bold: dict[str, set[str]], row: Row
) -> str:
    """A model's accuracy on a data set with half its interval; "" if it was not evaluated there."""
    if (row.model, dataset) not in accuracies.index:
        return ""
    value, low, high = 100 * accuracies.loc[(row.model, dataset)].to_numpy()
    text = f"{value:.1f} ± {(high - low) / 2:.1f}"
    is_bold = row.model in bold.get(dataset, ()) and not row.label.endswith(ORACLE)
    return f"**{text}**" if is_bold else text


def _rule(rows: list[Row]) -> list[str]:
    """A sentence that names the rule behind the rows called chosen, if there are any."""
    if not any(row.label.endswith(CHOSEN) for row in rows):
        return []
    rule = selectors.label(selectors.DEFAULT)
    return [f"Chosen: alpha by the default rule ({rule}), without a test label."]


def _title(measurements: pd.DataFrame, name: str) -> str:
    metric = measurements.loc[measurements["dataset"] == name, "metric"].iloc[0]
    title = "mean of shifts" if name == MEAN else name
    return (
        title
        if metric in (ACCURACY, MEAN_OF)
        else f"{title} ({metric.replace('-', ' ')})"
    )


def _rows(measurements: pd.DataFrame) -> list[Row]:
    """What is shown, in the order of the rows."""
    shown = measurements[measurements["kind"] != BASELINE]
    rows = []
    for (kind, curve), group in shown.groupby(["kind", "curve"], sort=False):
        if not curve:
            for model in sorted(group["model"].drop_duplicates(), key=natural):
                rows.append((_rank(kind), natural(""), Row(model, model, kind)))
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
                rows.append(
                    (_rank(kind), natural(curve), Row(label, models.iloc[0], kind))
                )
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
    models = [row.model for row in rows if not row.label.endswith(ORACLE)]
    for dataset in columns:
        sets = shifts if dataset == MEAN else [dataset]
        there = measurements[measurements["dataset"] == dataset].set_index("model")[
            "value"
        ]
        values = there[there.index.isin(models)].groupby(level=0, sort=False).first()
        if len(values):
            _, good = as_good_as_the_best(
                values, lambda m, sets=sets: [correct(m, d) for d in sets], confidence
            )
            found[dataset] = (good, len(values))
    return found
