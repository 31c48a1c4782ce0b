"""Spherical interpolation of two models (Shoemake 1985), tensor by tensor.

With the angle w between the two tensors, sin((1 - t) w) / sin w of the first and
sin(t w) / sin w of the second: on equal norms the norm is kept. Nearly parallel tensors,
whose sines vanish, are mixed linearly; so are tensors of zeros, as the bias of a zero-shot head:
they have no angle to anything.
"""

import math

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.options import PluginOptions
from ..coefficients import simplified
from ..geometry import cosine, gram
from ..recipe import single, total
from . import Method


class Options(PluginOptions):
    t: float = Field(
        0.5,
        ge=0,
        le=1,
        description="place between the two; 0 is the first ingredient, 1 the second",
    )
    from_start: bool = Field(
        False,
        description="interpolate between the start and the one ingredient, instead of two "
        "ingredients",
    )


METHOD = Method(options=Options, ingredients=2, ordered=True)


def find(ingredients: dict[str, str], context) -> dict:
    names, t = list(ingredients), context.spec["t"]
    shas = [context.start] if context.spec["from_start"] else []
    shas += ingredients.values()
    if len(shas) != 2:
        raise StockpotError(
            f"soups.{context.spec['name']}: slerp goes between two models, not {len(shas)} "
            f"({', '.join(names)}); give two ingredients, or one and from_start: true"
        )
    weights = [context.weights(sha) for sha in shas]
    grams = gram(weights, None, weights[0].names)
    shares = {name: pair_shares(products, t) for name, products in grams.items()}
    first, second = (
        simplified({"": linear} | {name: pair[i] for name, pair in shares.items()})
        for i, linear in enumerate((1 - t, t))
    )
    return total([(first, single(shas[0])), (second, single(shas[1]))])


def pair_shares(products, t: float) -> tuple[float, float]:
    """The two coefficients of a tensor.

    products: float64 [2, 2], the inner products of the two models' tensors.
    """
    if float(products.diagonal().min()) == 0:
        return 1 - t, t
    return sines(cosine(products), t)


def sines(cosine: float, t: float) -> tuple[float, float]:
    """The two coefficients at an angle with this cosine."""
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    if math.sin(angle) < 1e-6:
        return 1 - t, t
    return math.sin((1 - t) * angle) / math.sin(angle), math.sin(t * angle) / math.sin(
        angle
    )
