"""Ways to choose the mixing coefficient alpha of a sweep: one module each, found by its file name.

Both papers leave open how to choose alpha without a test label. A selector reads a *curve*: a data
frame with one row per alpha and those of the columns ``COLUMNS`` that are known.

A selector module defines ``choose(curve) -> float``: the alpha that it takes from a curve whose
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

DEFAULT = "within-point"  # it must read the held-out set alone, see ``on_held_out``
# What a curve may have, in the order in which a study gets to know it.
COLUMNS = (
    "alpha",
    "n",  # examples of the held-out set
    "held_out",  # accuracy on the held-out set
    "error",  # standard error of held_out where it is no share of right answers, as macro F1
    "corrupted",  # accuracy on corrupted held-out images
    # Estimates from unlabelled images of the shifts, see ``statistics.estimates``.
    "thresholded",
    "agreement",
    "entropy",
    # Accuracies on the test sets, for oracles alone.
    "shifts",
    "reference",
)
TEST_SETS = {"reference", "shifts"}


Column = Literal[COLUMNS]


@declaration_class
class Selector:
    """What a selector says of itself.

    Attributes:
        label: Its name in tables and figures.
        needs: The columns of a curve that it reads. One that reads a test set is an oracle, to
            compare with.
        optional: Columns that it reads where a curve has them.
    """

    label: str
    needs: tuple[Column, ...] = ()
    optional: tuple[Column, ...] = ()


def declared(name: str) -> Selector:
    return registry.declaration(__name__, __file__, name, "SELECTOR")


def names() -> list[str]:
    """All selectors: by the last column of ``COLUMNS`` that they need, then by name."""

    def last_column(name: str) -> int:
        return max((COLUMNS.index(column) for column in needs(name)), default=0)

    return sorted(registry.names(__file__), key=lambda name: (last_column(name), name))


def label(name: str) -> str:
    """What tables and figures call a selector."""
    return declared(name).label


def needs(name: str) -> set[str]:
    """The columns of a curve that a selector reads."""
    return set(declared(name).needs)


def optional(name: str) -> set[str]:
    """The columns that a selector reads where a curve has them."""
    return set(declared(name).optional)


def oracles() -> list[str]:
    """Selectors that read a test set: what no rule may do in earnest."""
    return [name for name in names() if needs(name) & TEST_SETS]


def without_shifts() -> list[str]:
    """Selectors that read nothing, or the held-out set alone."""
    return [name for name in names() if needs(name) <= {"held_out", "n"}]


def on_held_out() -> list[str]:
    """Selectors that read the held-out set, and it alone."""
    return [name for name in without_shifts() if needs(name)]


def usable(curve: "pd.DataFrame") -> list[str]:
    """Selectors for which a curve has the columns, without a missing number."""
    whole = {column for column in curve if curve[column].notna().all()}
    return [name for name in names() if needs(name) <= whole]


def choose(name: str, curve: "pd.DataFrame") -> float:
    """The alpha that a selector chooses.

    Args:
        name: Of the selector.
        curve: See the top of this module.

    Returns:
        One of the alphas of the curve.

    Raises:
        ValueError: If the selector is unknown, or the curve lacks a column that it needs.
    """
    known = names()
    if name not in known:
        raise ValueError(f"unknown selector {name!r}; there are {', '.join(known)}")
    if name not in usable(curve):
        raise ValueError(f"{name} needs {', '.join(sorted(needs(name)))}")
    chosen = registry.load(__name__, __file__, name, "choose", "selector")
    return chosen(curve.sort_values("alpha", ignore_index=True))


def compared(curve: "pd.DataFrame") -> "pd.DataFrame":
    """What the alpha of every usable selector gives, and what it misses.

    Args:
        curve: With ``reference`` and ``shifts`` too.

    Returns:
        A row per selector: selector, label, alpha, reference, shifts, both (their mean), and
        regret_reference, regret_shifts, regret_both: the best of the curve on that column minus
        what the selector gets, as fractions. With "fixed 0.5", these are table 3 of WiSE-FT.
    """
    import pandas as pd

    curve = curve.assign(both=(curve["reference"] + curve["shifts"]) / 2)
    columns = ("reference", "shifts", "both")
    rows = []
    for name in usable(curve):
        alpha = choose(name, curve)
        point = curve[curve["alpha"] == alpha].iloc[0]
        row = {"selector": name, "label": label(name), "alpha": alpha}
        row |= {column: point[column] for column in columns}
        row |= {
            f"regret_{column}": curve[column].max() - point[column]
            for column in columns
        }
        rows.append(row)
    return pd.DataFrame(rows)
