"""The logit ensemble: the mean of all ingredients' unnormalised logits (Model soups, section 2)."""

from ..names import LOGIT_ENSEMBLE
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
    return shared(ingredients, context.spec["shares"], LOGIT_ENSEMBLE)
