"""All tables of one study, from its stored predictions: those that figures and people read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..datasets.dataset import read_card
from ..datasets.remarks import remarks
from ..evaluation.stored_predictions import answers
from ..runtime.atomic_files import atomic
from ..runtime.sealed import read_sealed
from ..statistics.intervals import tail_quantiles
from .class_subsets import subset_cells
from .escape import markdown
from .findings import findings
from .main_table import MainTable, main_table
from .measurements import (
    SUBSET,
    measure,
    published_cells,
    read_table,
    robustness_table,
    write_table,
)
from .notes import arithmetic, notes, other_versions
from .published_models import read_published_models
from .uncounted_intervals import with_intervals

# How numbers are written in the tables.
FORMAT = "%.6f"


@dataclass(frozen=True)
class StudyFiles:
    """What the tables of a study are made from.

    Attributes:
        evaluations: Files that its evaluations wrote.
        datasets: Folders of the data sets.
        overlap: The table of images that data sets share.
        published_models: The table of published models, if there is one.
    """

    evaluations: list[Path]
    datasets: list[Path]
    overlap: Path
    published_models: Path | None = None

    @property
    def store(self) -> Path:
        """The folder of the predictions."""
        return self.evaluations[0].parents[1] / "store"

    @cached_property
    def evaluated(self) -> list[dict[str, Any]]:
        """The contents of the evaluations."""
        return [read_sealed(path) for path in self.evaluations]

    @cached_property
    def cells(self) -> pd.DataFrame:
        """A row per model and data set."""
        rows: list[dict[str, Any]] = []
        for evaluation in self.evaluated:
            rows += evaluation["cells"]
        return pd.DataFrame(rows)

    @cached_property
    def status(self) -> dict[str, str]:
        """Model -> "ok", or how its run ended."""
        status: dict[str, str] = {}
        for evaluation in self.evaluated:
            status |= evaluation["status"]
        return status

    @cached_property
    def cards(self) -> list[dict[str, Any]]:
        """What is known of each data set."""
        return [read_card(folder) for folder in self.datasets]

    @cached_property
    def correct(self) -> Callable[[str], np.ndarray]:
        """Key of a cell -> which answers are right, bool [n]; each is read once."""
        return cache(lambda key: answers(self.store, key).correct)


@dataclass(frozen=True)
class StudyTables:
    """The tables of a study.

    Attributes:
        measurements: A row per model and data set: n, k, accuracy, interval.
        fits: Lines of the baselines.
        robustness: Effective robustness.
        findings: Do the papers' claims hold here?
        main: The table to read first.
        sentences: What stands below it.
    """

    measurements: pd.DataFrame
    fits: pd.DataFrame
    robustness: pd.DataFrame
    findings: pd.DataFrame
    main: MainTable
    sentences: list[str] = field(default_factory=list)

    def write(self, markdown: str, latex: str, **tables: str) -> None:
        """Write all tables.

        Args:
            markdown: File of the table to read first, with its sentences.
            latex: File of the same table, for a paper.
            tables: Name of each other table -> its file.
        """
        for name, path in tables.items():
            write_table(getattr(self, name), path, FORMAT)
        with atomic(markdown) as path:
            path.write_text(self.markdown(), "utf-8")
        with atomic(latex) as path:
            path.write_text(self.main.latex(), "utf-8")

    def markdown(self) -> str:
        """Write the table to read first, and what stands below it.

        Returns:
            Markdown.
        """
        paragraphs = [f"\n{markdown(sentence)}\n" for sentence in self.sentences]
        return self.main.markdown() + "".join(paragraphs)


def study_tables(
    files: StudyFiles,
    spec: dict[str, Any],
) -> StudyTables:
    """Make all tables of a study.

    Args:
        files: What they are made from.
        spec: ``roles``, pairs of a data set and its role; ``published_models``, how to read their
            table; ``class_notes``, ``held_out_note`` and ``trained_in_bf16``, for the sentences;
            and the config's ``statistics``.

    Returns:
        The tables.

    Raises:
        StockpotError: If a file is gone or damaged, or the table of published models is wrong.
    """
    confidence = spec["confidence"]
    measurements = _measurements(files, spec)
    fits, robustness = robustness_table(
        measurements,
        spec["axis"],
        confidence,
        spec["breakpoints"],
    )
    # The key of a cell finds its prediction in the store.
    keys = {}
    for cell in files.cells.itertuples():
        keys[cell.model, cell.dataset] = cell.key
    main = main_table(
        measurements,
        lambda model, dataset: files.correct(keys[model, dataset]),
        confidence,
    )
    return StudyTables(
        measurements=measurements,
        fits=fits,
        robustness=robustness,
        findings=findings(
            files.cells,
            measurements,
            robustness,
            files.correct,
            confidence,
        ),
        main=main,
        sentences=_sentences(files, spec, measurements, fits, main),
    )


def _measurements(
    files: StudyFiles,
    spec: dict[str, Any],
) -> pd.DataFrame:
    """All cells with intervals: of data sets, of parts of the reference, of published models."""
    roles = dict(spec["roles"])
    quantiles = tail_quantiles(spec["confidence"])
    cells = [with_intervals(files.cells, files.datasets, files.store, quantiles)]
    if spec["class_subset"]:
        restricted = subset_cells(
            files.cells, roles, files.datasets, files.store, quantiles
        )
        # The restricted references are data sets of their own.
        roles |= dict.fromkeys(restricted["dataset"].unique(), SUBSET)
        cells.append(restricted)
    if files.published_models:
        published = _published(files.published_models, spec["published_models"], roles)
        cells.append(published_cells(published))
        # A table may have the reference restricted to the classes of a shift.
        for _, dataset, _ in published:
            roles.setdefault(dataset, SUBSET)
    return measure(
        pd.concat(cells, ignore_index=True),
        roles,
        spec["confidence"],
    )


def _published(
    table: Path,
    spec: dict[str, Any],
    roles: dict[str, str],
) -> list[tuple[str, str, float]]:
    """Accuracies of published models on the reference and the shifts.

    Args:
        table: The file.
        spec: How to read it; see ``published_models.read_published_models``.
        roles: Data set -> its role.
    """
    (reference,) = [name for name, role in roles.items() if role == "reference"]
    shifts = [name for name, role in roles.items() if role == "shift"]
    return read_published_models(table, spec, reference, shifts)


def _sentences(
    files: StudyFiles,
    spec: dict[str, Any],
    measurements: pd.DataFrame,
    fits: pd.DataFrame,
    main: MainTable,
) -> list[str]:
    """What stands below the main table."""
    # The order is that in which a reader needs them.
    has_lines = len(fits) > 0
    sentences = [_how_to_read(spec["confidence"], has_lines=has_lines)]
    sentences += main.rule
    sentences += main.notes
    sentences.append(arithmetic(measurements, spec["trained_in_bf16"]))
    if spec["held_out_note"]:
        sentences.append(spec["held_out_note"])
    for name, classes in spec["class_notes"].items():
        sentences.append(f"{name}: {classes}.")
    for card in files.cards:
        sentences += remarks(card)
    results = files.store.parent
    sentences += other_versions(spec.get("kept", []), results)
    left_out = {}
    for card in files.cards:
        name = card["name"]
        left_out[name] = card["source"].get("left_out", 0)
    overlap = read_table(files.overlap)
    sentences += notes(
        files.status,
        overlap,
        measurements,
        fits,
        spec["breakpoints"],
        left_out,
    )
    return sentences


def _how_to_read(confidence: float, *, has_lines: bool) -> str:
    """How to read the main table.

    Args:
        confidence: Of the intervals.
        has_lines: Are there lines of the baselines?
    """
    level = f"{100 * confidence:g} %"
    lines = ""
    if has_lines:
        lines = " robustness.csv has effective robustness and the baselines."
    return (
        f"Accuracies are in percent, ± half the {level} interval (Clopper-Pearson; for the mean "
        "of shifts, a stratified bootstrap). Bold marks the best model of a column and all models "
        "that are not significantly worse (exact McNemar test; for the mean, a permutation test; "
        "corrected for all pairs of the column). Oracle: chosen on the test sets, for comparison. "
        f"measurements.csv has n, k and both ends of every interval.{lines}"
    )
