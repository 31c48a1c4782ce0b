"""The greedy ensemble: the greedy soup's selection, of models whose logits are averaged."""

from ..names import LOGIT_ENSEMBLE
from . import Method
from ._options import Order
from .greedy import select

METHOD = Method(options=Order, mixes="outputs")


def find(ingredients: dict[str, str], context) -> dict:
    return select(ingredients, context, LOGIT_ENSEMBLE)
