"""The logit ensemble: the mean of all ingredients' unnormalised logits (Model soups, section 2)."""

from ..names import LOGIT_ENSEMBLE
from ..recipe import uniform

MIXES = "outputs"


def find(ingredients: dict[str, str], context) -> dict:
    return uniform(list(ingredients.values()), rule=LOGIT_ENSEMBLE)
