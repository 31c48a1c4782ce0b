"""Random interpolation: each example is answered by one model, drawn at random (WiSE-FT, C.3.3)."""

from ..names import RANDOM_INTERPOLATION
from ..recipe import shared
from . import Method
from ._options import Shares

METHOD = Method(options=Shares, mixes="outputs")


def find(ingredients: dict[str, str], context) -> dict:
    return shared(ingredients, context.spec["shares"], RANDOM_INTERPOLATION)
