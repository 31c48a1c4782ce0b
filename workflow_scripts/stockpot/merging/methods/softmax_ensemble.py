"""The softmax ensemble: the mean of all ingredients' probabilities (WiSE-FT, C.3.3)."""

from ..names import SOFTMAX_ENSEMBLE
from ..recipe import shared
from . import Method
from ._options import Shares

METHOD = Method(options=Shares, mixes="outputs")


def find(ingredients: dict[str, str], context) -> dict:
    return shared(ingredients, context.spec["shares"], SOFTMAX_ENSEMBLE)
