"""The greedy ensemble: the greedy soup's selection, of models whose logits are averaged."""

from ..names import LOGIT_ENSEMBLE
from .greedy import select

MIXES = "outputs"
OPTIONS = {
    "order": {
        "description": "as of the greedy soup",
        "enum": ["held-out", "random"],
        "default": "held-out",
    },
    "seed": {"description": "of the random order", "type": "integer", "minimum": 0, "default": 0},
}


def find(ingredients: dict[str, str], context) -> dict:
    return select(ingredients, context, LOGIT_ENSEMBLE)
