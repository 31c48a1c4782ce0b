"""Selectors: rules that choose alpha of a sweep. One module each, found by its file name.

Both papers leave open how to choose alpha without a test label. A selector reads a *sweep*: a data
frame with one row per alpha, and those of the columns ``COLUMNS`` that are known.

A selector module defines ``choose(sweep) -> float``: the alpha that it takes from a sweep whose
rows are sorted by alpha. It declares ``SELECTOR = Selector(...)``, which planning reads without
importing the module.

``DEFAULT`` is the rule wherever the project chooses an alpha itself: ``alpha: auto`` of the merge
method ``wise-ft``, the main table and the low-shot analysis. docs/results/README.md says why.
"""

from typing import TYPE_CHECKING, Literal

from ...runtime import registry
from ...runtime.options import declaration_class

if TYPE_CHECKING:
    import pandas as pd

# It must read only the held-out set, see ``on_held_out``.
DEFAULT = "within-point"
# What a sweep may have, in the order in which a study gets to know it.
COLUMNS = (
    "alpha",
    "n",  # examples of the held-out set
    "held_out",  # accuracy on the held-out set
    "standard_error",  # of held_out where it is no share of right answers, as macro F1
    "corrupted",  # accuracy on corrupted held-out images
    # Estimates from unlabelled images of the shifts, see ``statistics.estimates``.
    "thresholded",
    "agreement",
    "entropy",
    # Accuracies on the test sets, only for oracles.
    "shifts",
    "reference",
)
TEST_SETS = {"reference", "shifts"}
# Columns that follow from the held-out set only.
_HELD_OUT = {"held_out", "n"}

Column = Literal[COLUMNS]


@declaration_class
class Selector:
    """What a selector says of itself.

    Attributes:
        label: Its name in tables and figures.
        needs: The columns of a sweep that it reads. One that reads a test set is an oracle, to
            compare with.
        optional: Columns that it reads where a sweep has them.
    """

    label: str
    needs: tuple[Column, ...] = ()
    optional: tuple[Column, ...] = ()


def declared(name: str) -> Selector:
    """Read what a selector says of itself, without importing its module.

    Args:
        name: Name of the selector.

    Returns:
        Its declaration.

    Raises:
        StockpotError: If the module declares nothing, or its declaration is wrong.
    """
    return registry.declaration(__name__, __file__, name, "SELECTOR")


def names() -> list[str]:
    """List the names of all selectors.

    Returns:
        Names sorted by the last column of ``COLUMNS`` that a selector needs, then by name: those
        that need least come first.
    """

    def sort_key(name: str) -> tuple[int, str]:
        """(position of the last column that a selector needs, its name)."""
        positions = [COLUMNS.index(column) for column in needs(name)]
        return max(positions, default=0), name

    return sorted(registry.names(__file__), key=sort_key)


def label(name: str) -> str:
    """Look up what tables and figures call a selector.

    Args:
        name: Name of the selector.

    Returns:
        Its label.
    """
    return declared(name).label


def needs(name: str) -> set[str]:
    """List the columns of a sweep that a selector reads.

    Args:
        name: Name of the selector.

    Returns:
        Names of ``COLUMNS``.
    """
    return set(declared(name).needs)


def optional(name: str) -> set[str]:
    """List the columns that a selector reads if a sweep has them.

    Args:
        name: Name of the selector.

    Returns:
        Names of ``COLUMNS``.
    """
    return set(declared(name).optional)


def oracles() -> list[str]:
    """List the selectors that read a test set, which no real choice may do.

    Returns:
        Their names.
    """
    selectors = []
    for name in names():
        test_sets = needs(name) & TEST_SETS
        if test_sets:
            selectors.append(name)
    return selectors


def without_shifts() -> list[str]:
    """List the selectors that read nothing, or only the held-out set.

    Returns:
        Their names.
    """
    return [name for name in names() if needs(name) <= _HELD_OUT]


def on_held_out() -> list[str]:
    """List the selectors that read the held-out set and nothing else.

    Returns:
        Their names.
    """
    return [name for name in without_shifts() if needs(name)]


def usable(sweep: "pd.DataFrame") -> list[str]:
    """List the selectors that can choose from a sweep.

    Args:
        sweep: See the top of this module.

    Returns:
        Names of those whose columns the sweep has, without a missing number.
    """
    complete = set()
    for column in sweep:
        is_known = sweep[column].notna()
        if is_known.all():
            complete.add(column)
    return [name for name in names() if needs(name) <= complete]


def choose(
    name: str,
    sweep: "pd.DataFrame",
) -> float:
    """Choose an alpha.

    Args:
        name: Name of the selector.
        sweep: See the top of this module.

    Returns:
        One of the alphas of the sweep.

    Raises:
        ValueError: If the selector is unknown, or the sweep lacks a column that it needs.
    """
    known_names = names()
    if name not in known_names:
        names_text = ", ".join(known_names)
        raise ValueError(f"unknown selector {name!r}; there are {names_text}")
    if name not in usable(sweep):
        columns_text = ", ".join(sorted(needs(name)))
        raise ValueError(f"{name} needs {columns_text}")
    choose_from = registry.load(__name__, __file__, name, "choose", "selector")
    # Selectors take the first of equals, so the order of the rows decides.
    sorted_sweep = sweep.sort_values("alpha", ignore_index=True)
    return choose_from(sorted_sweep)


def compare_selectors(sweep: "pd.DataFrame") -> "pd.DataFrame":
    """Tabulate what the alpha of every usable selector gives, and what it misses.

    Args:
        sweep: With ``reference`` and ``shifts`` too.

    Returns:
        A row per selector: selector, selector_label, alpha, reference, shifts, both (their mean),
        and regret_reference, regret_shifts, regret_both: the best of the sweep on that column minus
        what the selector gets, as fractions. With "fixed 0.5", these are table 3 of WiSE-FT.
    """
    import pandas as pd

    mean_of_both = (sweep["reference"] + sweep["shifts"]) / 2
    sweep = sweep.assign(both=mean_of_both)
    scores = ("reference", "shifts", "both")
    rows = []
    for name in usable(sweep):
        alpha = choose(name, sweep)
        is_chosen = sweep["alpha"] == alpha
        point = sweep[is_chosen].iloc[0]
        row = {
            "selector": name,
            "selector_label": label(name),
            "alpha": alpha,
        }
        for column in scores:
            row[column] = point[column]
        # Regret: what the best alpha of the sweep has more, known only with test labels.
        for column in scores:
            best = sweep[column].max()
            row[f"regret_{column}"] = best - point[column]
        rows.append(row)
    return pd.DataFrame(rows)
