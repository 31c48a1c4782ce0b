"""TIES (Yadav et al., NeurIPS 2023): trim, elect a sign, take the mean of those that agree.

The largest ``density`` of all numbers of every update are kept. For each number the sign with the
larger total wins. The merge is the start plus ``scale`` times the mean of the kept updates of
that sign.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Context, Method, NamedTensors

if TYPE_CHECKING:
    import torch


class Options(PluginOptions):
    """Options of TIES.

    Attributes:
        density: Fraction of each update's numbers that is kept.
        scale: Factor of the mean update.
    """

    density: float = Field(
        0.2,
        gt=0,
        le=1,
        description="share of the numbers of each update that is kept",
    )
    scale: float = Field(
        1.0,
        gt=0,
        description="factor of the mean update",
    )


METHOD = Method(
    options=Options,
    mixes="weights",
)


def merge(
    ingredients: dict[str, str],
    context: Context,
) -> NamedTensors:
    """Merge by TIES.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        (name, merged tensor) in the order of the names.
    """
    from ..elementwise import magnitude_threshold, merge_elementwise

    start = context.weights(context.start)
    density = context.spec["density"]
    scale = context.spec["scale"]
    weights = [context.weights(sha256) for sha256 in sorted(ingredients.values())]
    # One threshold per ingredient, over all of its tensors together.
    thresholds = [
        magnitude_threshold(start, tensors, start.names, density) for tensors in weights
    ]

    def rule(
        base: "torch.Tensor",
        updates: "torch.Tensor",
        name: str,
        begin: int,
    ) -> "torch.Tensor":
        """TIES of one chunk."""
        return base + scale * elect(trim(updates, thresholds))

    return merge_elementwise(rule, start, weights, start.names)


def trim(
    updates: "torch.Tensor",
    thresholds: list[float],
) -> "torch.Tensor":
    """Set the small numbers of updates to zero.

    Args:
        updates: float64 [k, p], of k ingredients.
        thresholds: The least magnitude that each ingredient keeps.

    Returns:
        float64 [k, p].
    """
    import torch

    # Compared as float32, in which the thresholds were found.
    least = torch.tensor(thresholds, dtype=torch.float32)[:, None]
    return torch.where(updates.float().abs() >= least, updates, 0.0)


def elect(updates: "torch.Tensor") -> "torch.Tensor":
    """Take the mean over the ingredients whose sign is that of the sum.

    Args:
        updates: Trimmed updates, float64 [k, p].

    Returns:
        float64 [p]; 0 where no ingredient has that sign.
    """
    import torch

    elected_sign = updates.sum(0).sign()
    agreeing = torch.where(updates.sign() == elected_sign, updates, 0.0)
    counts = (agreeing != 0).sum(0)
    return agreeing.sum(0) / counts.clamp_min(1)
