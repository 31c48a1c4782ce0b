"""The softmax ensemble: the mean of all ingredients' probabilities (WiSE-FT, C.3.3)."""

from ..names import SOFTMAX_ENSEMBLE
from ..recipe import uniform

MIXES = "outputs"


def find(ingredients: dict[str, str], context) -> dict:
    return uniform(list(ingredients.values()), rule=SOFTMAX_ENSEMBLE)
