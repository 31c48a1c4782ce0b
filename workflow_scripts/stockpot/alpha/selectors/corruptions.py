"""The best mean of the held-out set and its corrupted images."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="held-out and corruptions", needs=("held_out", "corrupted"))


def choose(curve: "pd.DataFrame") -> float:
    return best(curve, curve["held_out"] + curve["corrupted"])
