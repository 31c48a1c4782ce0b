"""The logit ensemble: the mean of all ingredients' unnormalised logits (Model soups, section 2)."""

from ..recipe import LOGIT_ENSEMBLE, uniform


def find(ingredients: dict[str, str], context) -> dict:
    return uniform(list(ingredients.values()), rule=LOGIT_ENSEMBLE)
