"""Files of an analysis: what it reads, and the table that it writes in three formats."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..datasets.dataset import LABELS, read_card
from ..runtime.atomic_files import atomic
from ..runtime.escape import one_line
from ..runtime.sealed import read_sealed
from .display import to_latex, to_markdown, unbroken
from .escape import markdown
from .evidence import Evidence
from .measurements import read_table, write_table

# How numbers are written in the table.
FORMAT = "%.6g"
# A line of the LaTeX file has at most this many characters.
LONGEST_REMARK = 10_000


@dataclass(frozen=True)
class AnalysisFiles:
    """What an analysis reads.

    Attributes:
        measurements: The table of all accuracies.
        evaluations: Files that the evaluations of the study wrote.
        datasets: Folders of the data sets.
        mixes: Cells of the analysis's own mixes, if it looks at some.
        geometry: Inner products of updates, if it looks at them.
        recipes: Those of the soups, if it looks at them.
    """

    measurements: Path
    evaluations: list[Path]
    datasets: list[Path]
    mixes: Path | None = None
    geometry: Path | None = None
    recipes: tuple[Path, ...] = ()

    def evidence(self, spec: dict[str, Any]) -> Evidence:
        """Collect what the analysis looks at.

        Args:
            spec: ``models``, what is known of them; ``soups``, name -> id; ``confidence``.

        Returns:
            The study as analyses see it.

        Raises:
            StockpotError: If a file is gone or damaged.
        """
        # Evaluations lie in <results>/evaluations/.
        results = self.evaluations[0].parents[1]
        # The file of a recipe is called by the id of its soup.
        soup_names = {soup_id: name for name, soup_id in spec["soups"].items()}
        labels = {}
        scorings = {}
        label_digests = {}
        for folder in self.datasets:
            card = read_card(folder)
            name = card["name"]
            labels[name] = folder / LABELS
            scorings[name] = card["scoring"]
            label_digests[name] = card["digests"][LABELS]
        return Evidence(
            measurements=read_table(self.measurements),
            evaluations=[read_sealed(path) for path in self.evaluations],
            store=results / "store",
            labels=labels,
            scorings=scorings,
            label_digests=label_digests,
            models=spec["models"],
            confidence=spec["confidence"],
            mixes=read_sealed(self.mixes) if self.mixes else None,
            geometry=read_table(self.geometry) if self.geometry else None,
            recipes={soup_names[path.stem]: path for path in self.recipes},
            results=results,
        )


@dataclass(frozen=True)
class AnalysisTable:
    """What an analysis computed.

    Attributes:
        table: All of it.
        display: What people read of it.
        notes: Sentences that stand below it.
    """

    table: pd.DataFrame
    display: pd.DataFrame
    notes: list[str]

    def write(
        self,
        table: str,
        markdown: str,
        latex: str,
    ) -> None:
        """Write the table in all formats.

        Args:
            table: The CSV file.
            markdown: The Markdown file, for people.
            latex: The LaTeX file, for a paper.
        """
        write_table(self.table, table, FORMAT)
        with atomic(markdown) as path:
            path.write_text(self.markdown(), "utf-8")
        with atomic(latex) as path:
            path.write_text(self.latex(), "utf-8")

    def markdown(self) -> str:
        """Write the table for people, with its notes.

        Returns:
            Markdown.
        """
        notes = [f"\n{markdown(note)}\n" for note in self.notes]
        return to_markdown(unbroken(self.display)) + "".join(notes)

    def latex(self) -> str:
        """Write the table for a paper; the notes are comments of LaTeX.

        Returns:
            LaTeX.
        """
        comments = []
        for note in self.notes:
            note_line = one_line(note, LONGEST_REMARK)
            comments.append(f"% {note_line}\n")
        return to_latex(self.display) + "".join(comments)
