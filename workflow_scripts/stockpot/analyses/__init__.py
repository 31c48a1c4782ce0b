"""Analyses: each computes one table from stored predictions. A module is found by its file name.

An analysis module declares ``ANALYSIS = Analysis(...)`` and defines ``tabulate(evidence, options)
-> DataFrame``; see ``tables.evidence.Evidence``. Each of its options has a default. Accuracies are
fractions, losses nats. Where the study lacks the models that an analysis is about, the analysis
raises ``tables.evidence.NothingToShowError("why")``; its table is then a sentence that says why. A
module may define ``short_table(table) -> DataFrame``, the table that people read; else they read
the table itself.

An analysis may look at mixes, which are no models of the study. It then says in ``evaluates`` on
which roles of data, and defines ``mixes(models, context, options)``, which yields (labels, recipe).
The labels become columns of ``evidence.mixes``; the name of the mix is the label "model". models
maps names to the SHA-256 of the zero-shot model and the usable runs; context is a
``merging.methods.Context``. One job evaluates all mixes of an analysis.

Figures name the analysis that they draw: see ``figures``.
"""

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from ..runtime import registry
from ..runtime.options import Declaration, declaration_class
from ..tables.shared_names import MEAN_OF_SHIFTS

if TYPE_CHECKING:
    import pandas as pd

    from ..tables.analysis_files import AnalysisTable
    from ..tables.evidence import Evidence


@declaration_class
class Analysis(Declaration):
    """What an analysis says of itself.

    Attributes:
        options: The keys of its entries of ``analyses``.
        needs: What else it looks at: "geometry" (inner products of the models' updates), "recipes"
            (how soups were found), "logits" (which evaluation.store_logits keeps).
        evaluates: Roles of the data on which its mixes are evaluated; none for an analysis of what
            is stored.
    """

    needs: tuple[Literal["geometry", "recipes", "logits"], ...] = ()
    evaluates: tuple[Literal["held-out", "reference", "shift", "train"], ...] = ()


def names() -> list[str]:
    """List all analyses.

    Returns:
        Their names, sorted.
    """
    return registry.names(__file__)


def kind(config: dict[str, Any], entry: str) -> str:
    """Look up which analysis an entry of the config asks for.

    Args:
        config: The checked config.
        entry: A key of its section ``analyses``.

    Returns:
        What the entry's key ``analysis`` says; without that key, the entry's own name.
    """
    settings = config["analyses"][entry]
    return settings.get("analysis", entry)


def declared(name: str) -> Analysis:
    """Read what an analysis says of itself, without importing its module.

    Args:
        name: Of the analysis.

    Returns:
        Its declaration.
    """
    return registry.declaration(__name__, __file__, name, "ANALYSIS")


def options(name: str) -> dict[str, dict[str, Any]]:
    """Read the options of an analysis, without importing its module.

    Args:
        name: Of the analysis.

    Returns:
        Option -> its JSON schema.
    """
    return registry.options(__name__, __file__, name, "ANALYSIS")


def needs(name: str) -> list[str]:
    """List what an analysis looks at besides tables and predictions.

    Args:
        name: Of the analysis.

    Returns:
        Some of "geometry", "recipes" and "logits".
    """
    return list(declared(name).needs)


def evaluates(name: str) -> list[str]:
    """List the roles of the data on which an analysis evaluates its mixes.

    Args:
        name: Of the analysis.

    Returns:
        The roles; empty for an analysis without mixes.
    """
    return list(declared(name).evaluates)


def load(name: str, function: str = "tabulate") -> Callable:
    """Import a function of an analysis.

    Args:
        name: Of the analysis.
        function: Name of the function.

    Returns:
        The function.

    Raises:
        StockpotError: If there is no such analysis.
    """
    return registry.load(__name__, __file__, name, function, "analysis")


def analyse(
    name: str,
    evidence: "Evidence",
    options: dict[str, Any],
) -> "AnalysisTable":
    """Run an analysis.

    Args:
        name: Of the analysis.
        evidence: The study.
        options: All options of the analysis.

    Returns:
        Its table; a table of one sentence where the study has nothing that it could look at.
    """
    from ..tables.analysis_files import AnalysisTable
    from ..tables.evidence import NothingToShowError

    try:
        tabulate = load(name)
        table = tabulate(evidence, options)
        display = for_people(name, table, evidence.shifts)
    except NothingToShowError as reason:
        table = reason.table()
        display = table
    return AnalysisTable(table, display, evidence.notes)


def for_people(
    name: str,
    table: "pd.DataFrame",
    shifts: list[str],
) -> "pd.DataFrame":
    """Make the short table of an analysis.

    Args:
        name: Of the analysis.
        table: What its ``tabulate`` gave.
        shifts: Names of the shifts. If there is only one, the column of the mean of shifts has
            its name.

    Returns:
        The table that people read.
    """
    shorten = short_table_of(name)
    short = shorten(table)
    if len(shifts) == 1:
        return short.rename(columns={MEAN_OF_SHIFTS: shifts[0]})
    return short


def short_table_of(name: str) -> Callable[["pd.DataFrame"], "pd.DataFrame"]:
    """Import the function that shortens the table of an analysis for people.

    Args:
        name: Of the analysis.

    Returns:
        Its ``short_table``, or a function that changes nothing.
    """
    # Names have hyphens where files have underscores.
    module_name = name.replace("-", "_")
    module = importlib.import_module(f"{__name__}.{module_name}")
    return getattr(module, "short_table", _unchanged)


def _unchanged(table: "pd.DataFrame") -> "pd.DataFrame":
    return table
