"""Alpha 0.5, as WiSE-FT recommends without knowledge of the domain (section 4)."""

from typing import TYPE_CHECKING

from . import Selector

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="fixed 0.5")


def choose(curve: "pd.DataFrame") -> float:
    return float(curve.loc[(curve["alpha"] - 0.5).abs().idxmin(), "alpha"])
