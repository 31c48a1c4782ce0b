"""The table to read first: every model on every test set, with intervals and significance."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ..alpha import selectors
from ..merging import methods
from ..statistics.comparisons import as_good_as_the_best
from ..statistics.natural_order import natural
from ..training import variants
from .display import to_latex, to_markdown, unbroken
from .measurements import ACCURACY, BASELINE, MEAN_OF, SHIFT_MEAN, datasets
from .shared_names import MEAN_OF_SHIFTS

# The label of a row ends with this where the default rule chose alpha.
CHOSEN = "(chosen)"
# The label of a row ends with this where a test set chose alpha.
ORACLE = "(oracle)"
# If more than this fraction of a column's models were bold, bold would tell nobody anything.
MOST_IN_BOLD = 0.75

# (model, data set) -> bool [n].
Correct = Callable[[str, str], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        label: What it is called.
        model: The model that it shows.
        kind: Of the model.
    """

    label: str
    model: str
    kind: str

    @property
    def is_oracle(self) -> bool:
        """Did a test set choose the model?"""
        return self.label.endswith(ORACLE)


@dataclass(frozen=True)
class Column:
    """One column of the table.

    Attributes:
        heading: Its heading.
        text: Row -> what stands there; "" for nothing.
        left: Is it aligned left, as texts are? Numbers are aligned right.
    """

    heading: str
    text: Callable[[Row], str]
    left: bool = False


@dataclass(frozen=True)
class GoodModels:
    """The models of one column that are not significantly worse than the best.

    Attributes:
        names: Of these models.
        compared: How many models were compared.
    """

    names: set[str]
    compared: int

    @property
    def are_few(self) -> bool:
        """Are they few enough to be set in bold?"""
        most = MOST_IN_BOLD * self.compared
        return len(self.names) <= most


@dataclass(frozen=True)
class MainTable:
    """The table to read first, and what stands below it.

    Attributes:
        table: The table, of texts.
        left: Headings of the columns that are aligned left.
        rule: A sentence that says which rule chose alpha, if one did.
        notes: A sentence that says where nothing is bold, if that is so somewhere.
    """

    table: pd.DataFrame
    left: frozenset[str]
    rule: list[str]
    notes: list[str]

    def markdown(self) -> str:
        """Write the table in Markdown.

        Returns:
            Lines of Markdown.
        """
        table = unbroken(self.table, self.left)
        return to_markdown(table, self.left)

    def latex(self) -> str:
        """Write the table in LaTeX.

        Returns:
            Lines of LaTeX.
        """
        return to_latex(self.table, self.left)


def columns(
    measurements: pd.DataFrame,
    bold: dict[str, set[str]],
) -> list[Column]:
    """List the columns from left to right. A new column is one more entry here.

    Args:
        measurements: See ``measurements.measure``.
        bold: Data set -> models whose number stands in bold there.

    Returns:
        The columns.
    """
    # Looked up by (model, data set).
    accuracies = measurements.set_index(["model", "dataset"])
    accuracies = accuracies[["value", "low", "high"]]
    shown = [
        Column("model", lambda row: row.label, left=True),
        Column("kind", lambda row: row.kind, left=True),
    ]
    for dataset in _shown_sets(measurements):
        bold_models = bold.get(dataset, set())
        text = partial(_accuracy, accuracies, dataset, bold_models)
        heading = _heading(measurements, dataset)
        shown.append(Column(heading, text))
    return shown


def overview(
    measurements: pd.DataFrame,
    correct: Correct | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Make only the table of ``main_table``, without its sentences.

    Args:
        measurements: See ``main_table``.
        correct: See ``main_table``.
        confidence: See ``main_table``.

    Returns:
        The table, of texts.
    """
    made_table = main_table(measurements, correct, confidence)
    return made_table.table


def main_table(
    measurements: pd.DataFrame,
    correct: Correct | None = None,
    confidence: float = 0.95,
) -> MainTable:
    """Make the table to read first.

    There is a row per model that is not a baseline. A sweep has alpha = 0.5, the alpha that the
    default rule chooses (``alpha.selectors.DEFAULT``), and the best under shift, which a test
    set chose and which is called oracle. Soups stand first, then ensembles, WiSE-FT, and what
    they are made of; model-2 before model-10.

    With ``correct`` the best of each column, and all that are not significantly worse, stand in
    **bold**. Oracles take no part, nor columns of another metric than accuracy. Where that
    would be more than three quarters of a column, nothing in it is bold.

    Args:
        measurements: See ``measurements.measure``.
        correct: (model, data set) -> bool [n], which answers are right; without it nothing is
            bold.
        confidence: Of the tests.

    Returns:
        The table, with columns model, kind, reference, shifts, and "mean of shifts" where there
        are several; percent and half the interval, as text such as "91.2 ± 0.9". Its sentences
        say which rule chose alpha and where nothing is bold.
    """
    rows = _rows(measurements)
    good_models: dict[str, GoodModels] = {}
    if correct:
        good_models = _good_models(measurements, rows, correct, confidence)
    bold = {}
    undecided = {}
    for dataset, good in good_models.items():
        if good.are_few:
            bold[dataset] = good.names
        else:
            # This column has no bold number, and a sentence says so.
            undecided[dataset] = good
    shown = columns(measurements, bold)
    headings = [column.heading for column in shown]
    left = [column.heading for column in shown if column.left]
    texts = []
    for row in rows:
        cells = []
        has_number = False
        for column in shown:
            cell = column.text(row)
            cells.append(cell)
            if cell and not column.left:
                has_number = True
        # A model without any number has no row.
        if has_number:
            texts.append(cells)
    return MainTable(
        table=pd.DataFrame(texts, columns=headings),
        left=frozenset(left),
        rule=_rule(rows),
        notes=_nothing_bold(undecided),
    )


def _nothing_bold(undecided: dict[str, GoodModels]) -> list[str]:
    """A sentence that names the columns in which nothing is bold, if there are any."""
    if not undecided:
        return []
    column_texts = []
    for dataset, good in undecided.items():
        name = dataset
        if dataset == SHIFT_MEAN:
            name = "the mean of shifts"
        column_texts.append(f"{name} ({len(good.names)} of {good.compared})")
    columns_text = ", ".join(column_texts)
    return [
        f"Nothing is bold on {columns_text}: there, so many models are not significantly "
        "worse than the best that bold would say nothing. More images would tell them apart."
    ]


def _shown_sets(measurements: pd.DataFrame) -> list[str]:
    """The reference, the shifts, and their mean where there are several."""
    names = datasets(measurements, "reference", "shift")
    if len(datasets(measurements, "shift")) > 1:
        names += datasets(measurements, "mean")
    return names


def _accuracy(
    accuracies: pd.DataFrame,
    dataset: str,
    bold: set[str],
    row: Row,
) -> str:
    """A model's accuracy on a data set with half its interval; "" if it has none there."""
    key = (row.model, dataset)
    if key not in accuracies.index:
        return ""
    fractions = accuracies.loc[key].to_numpy()
    value, low, high = 100 * fractions
    half_interval = (high - low) / 2
    text = f"{value:.1f} ± {half_interval:.1f}"
    if row.model in bold and not row.is_oracle:
        return f"**{text}**"
    return text


def _rule(rows: list[Row]) -> list[str]:
    """A sentence that names the rule behind the rows called chosen, if there are any."""
    is_chosen = [row.label.endswith(CHOSEN) for row in rows]
    if not any(is_chosen):
        return []
    rule = selectors.label(selectors.DEFAULT)
    return [f"Chosen: alpha by the default rule ({rule}), without a test label."]


def _heading(measurements: pd.DataFrame, dataset: str) -> str:
    """Name of a data set, with its metric where that is not accuracy."""
    is_dataset = measurements["dataset"] == dataset
    metric = measurements.loc[is_dataset, "metric"].iloc[0]
    title = dataset
    if dataset == SHIFT_MEAN:
        title = MEAN_OF_SHIFTS
    if metric in (ACCURACY, MEAN_OF):
        return title
    metric_text = metric.replace("-", " ")
    return f"{title} ({metric_text})"


def _rows(measurements: pd.DataFrame) -> list[Row]:
    """What is shown, in the order of the rows."""
    is_baseline = measurements["kind"] == BASELINE
    groups = measurements[~is_baseline].groupby(["kind", "sweep"], sort=False)
    keyed_rows = []
    for (kind, target), group in groups:
        rows = _sweep_rows(kind, target, group) if target else _model_rows(kind, group)
        # By kind, then by name of the sweep; models without a sweep have "".
        key = (_rank(kind), natural(target))
        for row in rows:
            keyed_rows.append((key, row))
    # The sort is stable: rows of one kind and one sweep stay in order.
    keyed_rows.sort(key=lambda keyed_row: keyed_row[0])
    return [row for _, row in keyed_rows]


def _model_rows(kind: str, group: pd.DataFrame) -> list[Row]:
    """A row for every model of a kind that is no sweep."""
    models = group["model"].drop_duplicates()
    sorted_models = sorted(models, key=natural)
    return [Row(model, model, kind) for model in sorted_models]


def _sweep_rows(
    kind: str,
    target: str,
    group: pd.DataFrame,
) -> list[Row]:
    """Rows for alpha 0.5 of a sweep, for the alpha that is chosen, and for the best one."""
    # Alpha -> label. Where two rules choose one alpha, it has one row.
    labels = {0.5: f"{target}, alpha 0.50"}
    chosen = _chosen(selectors.DEFAULT, group)
    if chosen is not None:
        labels[chosen] = f"{target}, alpha {chosen:.2f} {CHOSEN}"
    best = _chosen("oracle-shifts", group)
    if best is not None:
        labels.setdefault(best, f"{target}, alpha {best:.2f} {ORACLE}")
    rows = []
    for alpha, label in labels.items():
        is_at_alpha = np.isclose(group["alpha"], alpha)
        models = group.loc[is_at_alpha, "model"]
        if len(models):
            rows.append(Row(label, models.iloc[0], kind))
    return rows


def _chosen(rule: str, sweep: pd.DataFrame) -> float | None:
    """The alpha that a rule chooses of a sweep's rows; None where they lack what it reads."""
    # What selectors read, one row per alpha.
    is_held_out = sweep["role"] == "held-out"
    is_mean = sweep["role"] == "mean"
    held_out = sweep[is_held_out].groupby("alpha")
    shifts = sweep[is_mean].groupby("alpha")
    selector_columns = {
        "n": held_out["n"].first(),
        "held_out": held_out["value"].mean(),
        "shifts": shifts["value"].mean(),
    }
    table = pd.DataFrame(selector_columns)
    table = table.rename_axis("alpha").reset_index()
    needed_columns = sorted(selectors.needs(rule))
    table = table.dropna(subset=needed_columns)
    if table.empty:
        return None
    return selectors.choose(rule, table)


def _rank(kind: str) -> int:
    """Soups first, then ensembles, WiSE-FT, the zero-shot model, and the runs."""
    if kind == "zero-shot":
        return 3
    if kind in variants.names():
        return 4
    if kind == "wise-ft":
        return 2
    is_merged = kind in methods.names()
    if is_merged and methods.mixes(kind) == "outputs":
        return 1
    return 0


def _good_models(
    measurements: pd.DataFrame,
    rows: list[Row],
    correct: Correct,
    confidence: float,
) -> dict[str, GoodModels]:
    """Data set -> models that are not significantly worse than the best there."""
    is_accuracy = measurements["metric"] == ACCURACY
    counted_sets = set(measurements.loc[is_accuracy, "dataset"])
    models = [row.model for row in rows if not row.is_oracle]
    good_models = {}
    for dataset in _shown_sets(measurements):
        if dataset not in counted_sets:
            # Only a number of right answers can be tested.
            continue
        is_dataset = measurements["dataset"] == dataset
        # Oracles were chosen on these very answers, so they take no part.
        takes_part = measurements["model"].isin(models)
        compared = measurements[is_dataset & takes_part]
        by_model = compared.groupby("model", sort=False)
        values = by_model["value"].first()
        if values.empty:
            continue
        # The mean is tested on the answers to all shifts.
        averaged = [dataset]
        if dataset == SHIFT_MEAN:
            averaged = datasets(measurements, "shift")
        correct_on = partial(_correct_on, correct, averaged)
        _, names = as_good_as_the_best(values, correct_on, confidence)
        good_models[dataset] = GoodModels(names, len(values))
    return good_models


def _correct_on(
    correct: Correct,
    sets: list[str],
    model: str,
) -> list[np.ndarray]:
    """Bool [n] per data set: which answers of a model are right."""
    return [correct(model, dataset) for dataset in sets]
