"""The smallest alpha within one percentage point of the best held-out accuracy."""

from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="within one point of the best held-out", needs=("held_out",))


def choose(curve: "pd.DataFrame") -> float:
    # 1e-12: exactly one point counts as within, whatever the rounding.
    near = curve["held_out"] >= curve["held_out"].max() - 0.01 - 1e-12
    return float(curve.loc[near, "alpha"].min())
