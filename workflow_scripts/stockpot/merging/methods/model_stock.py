"""Model Stock (Jang et al., ECCV 2024): the mean, moved towards the start by a closed form.

t = N cos / (1 + (N - 1) cos), with cos the mean cosine between the N updates; the merge is
t mean + (1 - t) start. The paper takes t per layer: here per tensor, or per block.
"""

from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field

from ...runtime.options import PluginOptions
from ..coefficients import simplify
from ..geometry import gram_matrices, mean_cosine, sum_per_block
from ..recipe import interpolate, single, uniform
from . import Context, Method

if TYPE_CHECKING:
    import torch


class Options(PluginOptions):
    """Options of Model Stock.

    Attributes:
        granularity: What has a ratio t of its own.
    """

    granularity: Literal["tensor", "block", "model"] = Field(
        "tensor",
        description="one t for each tensor, for each block, or for the model",
    )


METHOD = Method(options=Options)


def ratio(
    cosine: float,
    n: int,
) -> float:
    """Compute the ratio t of the closed form.

    Args:
        cosine: Mean cosine between the updates.
        n: Number of updates N.

    Returns:
        t, between 0 and 1. Where the updates point apart (cosine <= 0) nothing of the mean is
        kept.
    """
    # A negative t would move away from the mean.
    cosine = max(cosine, 0.0)
    return n * cosine / (1 + (n - 1) * cosine)


def find(
    ingredients: dict[str, str],
    context: Context,
) -> dict[str, Any]:
    """Make the recipe of Model Stock.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        The recipe.
    """
    # Sorted, so that sums are rounded alike whatever the order of the ingredients.
    weights = [context.weights(sha256) for sha256 in sorted(ingredients.values())]
    start = context.weights(context.start)
    grams = gram_matrices(weights, start, weights[0].names)
    granularity = context.spec["granularity"]
    if granularity == "model":
        # An empty sum would be 0, but every model has tensors.
        grams = {"": cast("torch.Tensor", sum(grams.values()))}
    elif granularity == "block":
        grams = sum_per_block(grams)
    # Tensors of integers have no ratio and are those of the mean.
    ratios = {"": 1.0}
    for prefix, gram in grams.items():
        ratios[prefix] = ratio(mean_cosine(gram), len(weights))
    mean = uniform(list(ingredients.values()))
    return interpolate(single(context.start), mean, simplify(ratios))
