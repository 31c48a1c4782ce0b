"""Model Stock (Jang et al., ECCV 2024): the mean, moved towards the start by a closed form.

t = N cos / (1 + (N - 1) cos), with cos the mean cosine between the N updates; the merge is
t mean + (1 - t) start. The paper takes t per layer: here per tensor, or per block.
"""

from typing import Literal

from pydantic import Field

from ...runtime.options import PluginOptions
from ..coefficients import simplified
from ..geometry import cosine, gram, per_block
from ..recipe import interpolate, single, uniform
from . import Method


class Options(PluginOptions):
    per: Literal["tensor", "block", "model"] = Field(
        "tensor", description="one t for each tensor, for each block, or for the model"
    )


METHOD = Method(options=Options)


def ratio(cosine: float, n: int) -> float:
    """t of N updates; nothing of the mean is kept where they point apart (cosine <= 0)."""
    cosine = max(cosine, 0.0)
    return n * cosine / (1 + (n - 1) * cosine)


def find(ingredients: dict[str, str], context) -> dict:
    # Sorted, so that sums are rounded alike whatever the order of the ingredients.
    weights = [context.weights(sha) for sha in sorted(ingredients.values())]
    start = context.weights(context.start)
    grams = gram(weights, start, weights[0].names)
    n, per = len(weights), context.spec["per"]
    if per == "model":
        parts = {"": sum(grams.values())}
    else:
        parts = per_block(grams) if per == "block" else grams
    share = {"": 1.0} | {
        part: ratio(cosine(products), n) for part, products in parts.items()
    }
    mean = uniform(list(ingredients.values()))
    return interpolate(single(context.start), mean, simplified(share))
