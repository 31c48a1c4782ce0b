"""The best alpha on the held-out set; the smallest of equals."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="best held-out", needs=("held_out",))


def choose(curve: "pd.DataFrame") -> float:
    return best(curve, curve["held_out"])
