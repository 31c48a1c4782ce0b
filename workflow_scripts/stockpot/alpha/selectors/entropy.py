"""The least entropy of the predictions on images of the shifts; the smallest of equals."""

from typing import TYPE_CHECKING

from . import Selector
from ._best import best

if TYPE_CHECKING:
    import pandas as pd

SELECTOR = Selector(label="least entropy", needs=("entropy",))


def choose(curve: "pd.DataFrame") -> float:
    return best(curve, -curve["entropy"])
