"""The softmax ensemble: the mean of all ingredients' probabilities (WiSE-FT, C.3.3)."""

from ..names import SOFTMAX_ENSEMBLE
from ..recipe import shared

MIXES = "outputs"
OPTIONS = {
    "shares": {
        "description": "ingredient -> its share, in proportion; equal where none are given",
        "type": "object",
        "additionalProperties": {"type": "number", "exclusiveMinimum": 0},
        "default": {},
    }
}


def find(ingredients: dict[str, str], context) -> dict:
    return shared(ingredients, context.spec["shares"], SOFTMAX_ENSEMBLE)
