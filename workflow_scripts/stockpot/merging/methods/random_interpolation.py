"""Random interpolation: each example is answered by one model, drawn at random (WiSE-FT, C.3.3)."""

from ..names import RANDOM_INTERPOLATION
from ..recipe import uniform

MIXES = "outputs"


def find(ingredients: dict[str, str], context) -> dict:
    return uniform(list(ingredients.values()), rule=RANDOM_INTERPOLATION)
