"""The logit ensemble: the mean of all ingredients' unnormalised logits (Model soups, section 2)."""

from ..names import LOGIT_ENSEMBLE
from ..recipe import shared
from . import Method
from ._options import Shares

METHOD = Method(options=Shares, mixes="outputs")


def find(ingredients: dict[str, str], context) -> dict:
    return shared(ingredients, context.spec["shares"], LOGIT_ENSEMBLE)
