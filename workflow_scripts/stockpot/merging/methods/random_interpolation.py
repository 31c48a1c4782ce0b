"""Random interpolation: each example is answered by one model, drawn at random (WiSE-FT, C.3.3)."""

from ..names import RANDOM_INTERPOLATION
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
    return shared(ingredients, context.spec["shares"], RANDOM_INTERPOLATION)
