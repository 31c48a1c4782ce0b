"""Spherical interpolation of two models (Shoemake 1985), tensor by tensor.

With the angle w between the two tensors, sin((1 - t) w) / sin w of the first and
sin(t w) / sin w of the second: on equal norms the norm is kept. Nearly parallel tensors,
whose sines vanish, are mixed linearly; so are tensors of zeros, as the bias of a zero-shot head:
they have no angle to anything.
"""

import math
from typing import TYPE_CHECKING, Any

from pydantic import Field

from ...runtime.errors import StockpotError
from ...runtime.options import PluginOptions
from ..coefficients import simplify
from ..geometry import gram_matrices, mean_cosine
from ..recipe import linear_combination, single
from . import Context, Method

if TYPE_CHECKING:
    import torch

# Below this sine two tensors count as parallel, as the quotients lose all digits.
_LEAST_SINE = 1e-6


class Options(PluginOptions):
    """Options of the spherical interpolation.

    Attributes:
        t: Position between the two models.
        from_start: Whether the first model is the initial weights.
    """

    t: float = Field(
        0.5,
        ge=0,
        le=1,
        description="position between the two models; 0 is the first ingredient, 1 the "
        "second",
    )
    from_start: bool = Field(
        default=False,
        description="interpolate between the zero-shot model and one ingredient, "
        "instead of two ingredients",
    )


METHOD = Method(
    options=Options,
    ingredients=2,
    ordered=True,
)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of the spherical interpolation.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe, with coefficients per tensor.

    Raises:
        StockpotError: If there are not exactly two models.
    """
    t = context.spec["t"]
    shas = list(ingredients.values())
    if context.spec["from_start"]:
        shas = [context.start, *shas]
    if len(shas) != 2:
        raise StockpotError(
            f"soups.{context.spec['name']}: slerp goes between two models, not {len(shas)} "
            f"({', '.join(ingredients)}); give two ingredients, or one and from_start: true"
        )
    weights = [context.weights(sha256) for sha256 in shas]
    # Linear for what has no angle, such as tensors of integers.
    first = {"": 1 - t}
    second = {"": t}
    grams = gram_matrices(weights, None, weights[0].names)
    for name, gram in grams.items():
        first[name], second[name] = pair_coefficients(gram, t)
    return linear_combination(
        [
            (simplify(first), single(shas[0])),
            (simplify(second), single(shas[1])),
        ]
    )


def pair_coefficients(
    gram: "torch.Tensor",
    t: float,
) -> tuple[float, float]:
    """Compute the two coefficients of a tensor.

    Args:
        gram: Inner products of the two models' tensors, float64 [2, 2].
        t: Position between the two.

    Returns:
        (coefficient of the first model, coefficient of the second).
    """
    # The diagonal holds squared norms: a zero is a tensor of zeros.
    if float(gram.diagonal().min()) == 0:
        return 1 - t, t
    return slerp_coefficients(mean_cosine(gram), t)


def slerp_coefficients(
    cosine: float,
    t: float,
) -> tuple[float, float]:
    """Compute the two coefficients at an angle.

    Args:
        cosine: Cosine of the angle.
        t: Position between the two.

    Returns:
        (coefficient of the first model, coefficient of the second).
    """
    # Rounding may carry a cosine past 1, where acos has no value.
    angle = math.acos(max(-1.0, min(1.0, cosine)))
    sine = math.sin(angle)
    if sine < _LEAST_SINE:
        return 1 - t, t
    return math.sin((1 - t) * angle) / sine, math.sin(t * angle) / sine
