"""Analyses: one module each, found by its file name. A table each, from stored predictions.

An analysis module declares ``ANALYSIS = Analysis(...)`` and defines ``tabulate(evidence, options)
-> DataFrame``; see ``tables.evidence.Evidence``. Each of its options has a default. Accuracies are
fractions, losses nats. ``tables.evidence.Nothing("why")`` ends an analysis that the study has no
models for: an empty table that says why. ``shown(table) -> DataFrame``, if there is one, is the
short table for people; else the table itself is shown.

One that looks at mixes which are no models of the study says on which parts of the data
(``evaluates``), and defines ``mixes(models, context, options)``, which yields (labels, recipe): the
labels are columns of ``evidence.mixes``, with the mix's name under "model"; models is name ->
SHA-256 of the zero-shot model and the usable runs, context a ``merging.methods.Context``. They are
evaluated in one job.

Figures name the analysis that they draw: see ``figures``.
"""

from typing import TYPE_CHECKING, Literal

from ..runtime import registry
from ..runtime.options import Declaration, declaration_class
from ..tables.shared_names import MEAN_OF_SHIFTS

if TYPE_CHECKING:
    from ..tables.analysis_files import AnalysisTable
    from ..tables.evidence import Evidence


@declaration_class
class Analysis(Declaration):
    """What an analysis says of itself.

    Attributes:
        options: The keys of its entries of ``analyses``.
        needs: What else it looks at: "geometry" (inner products of the models' updates), "recipes"
            (how soups were found), "logits" (which evaluation.store_logits keeps).
        evaluates: Parts of the data on which its mixes are evaluated; none for an analysis of what
            is stored.
    """

    needs: tuple[Literal["geometry", "recipes", "logits"], ...] = ()
    evaluates: tuple[Literal["held-out", "reference", "shift", "train"], ...] = ()


def names() -> list[str]:
    return registry.names(__file__)


def kind(config: dict, entry: str) -> str:
    """The analysis that an entry of the config asks for: its own name, or its key ``analysis``."""
    return config["analyses"][entry].get("analysis", entry)


def declared(name: str) -> Analysis:
    return registry.declaration(__name__, __file__, name, "ANALYSIS")


def options(name: str) -> dict[str, dict]:
    return registry.options(__name__, __file__, name, "ANALYSIS")


def needs(name: str) -> list[str]:
    return list(declared(name).needs)


def evaluates(name: str) -> list[str]:
    return list(declared(name).evaluates)


def load(name: str, function: str = "tabulate"):
    return registry.load(__name__, __file__, name, function, "analysis")


def analyse(name: str, evidence: "Evidence", options: dict) -> "AnalysisTable":
    """Run an analysis.

    Args:
        name: Of the analysis.
        evidence: The study.
        options: All options of the analysis.

    Returns:
        Its table; one of a sentence where the study has nothing that it could look at.
    """
    from ..tables.analysis_files import AnalysisTable
    from ..tables.evidence import Nothing

    try:
        table = load(name)(evidence, options)
        people = for_people(name, table, evidence.shifts)
    except Nothing as reason:
        table = people = reason.table()
    return AnalysisTable(table, people, evidence.notes)


def for_people(name: str, table, shifts: list[str]):
    """The short table of an analysis, with the name of the only shift where there is one.

    Args:
        name: Of the analysis.
        table: What its ``tabulate`` gave.
        shifts: Names of the data sets under shift.
    """
    found = shown(name)(table)
    return (
        found.rename(columns={MEAN_OF_SHIFTS: shifts[0]}) if len(shifts) == 1 else found
    )


def shown(name: str):
    """The function that shortens the table for people."""
    import importlib

    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    return getattr(module, "shown", lambda table: table)
