"""DARE (Yu et al., ICML 2024): drop numbers of the updates at random and rescale the rest.

Each number of each update is dropped with probability ``drop``, else divided by 1 - drop;
the merge is the start plus ``scale`` times the mean of what is left.
"""

from typing import TYPE_CHECKING

from pydantic import Field

from ...runtime.options import Seeded
from . import Context, Method, NamedTensors

if TYPE_CHECKING:
    import torch


class Options(Seeded):
    """Options of DARE.

    Attributes:
        drop: Probability that a number of an update is dropped.
        scale: Factor of the mean of the updates.
    """

    drop: float = Field(
        0.5,
        ge=0,
        lt=1,
        description="probability that a number of an update is dropped",
    )
    scale: float = Field(
        1.0,
        gt=0,
        description="factor of the mean of the updates that are left",
    )


METHOD = Method(
    options=Options,
    mixes="weights",
)


def merge(
    ingredients: dict[str, str],
    context: Context,
) -> NamedTensors:
    """Merge by DARE.

    Args:
        ingredients: Name -> SHA-256.
        context: What the method may look at.

    Returns:
        (name, merged tensor) in the order of the names.
    """
    from ..elementwise import merge_elementwise

    start = context.weights(context.start)
    drop = context.spec["drop"]
    scale = context.spec["scale"]
    seed = context.spec["seed"]
    shas = sorted(ingredients.values())
    weights = [context.weights(sha256) for sha256 in shas]

    def rule(
        base: "torch.Tensor",
        updates: "torch.Tensor",
        name: str,
        begin: int,
    ) -> "torch.Tensor":
        """DARE of one chunk."""
        size = updates.shape[1]
        masks = [keep_mask([seed, sha256, name, begin], size, drop) for sha256 in shas]
        # delta_i * m_i, with one mask per ingredient.
        kept_sum = sum(update * mask for update, mask in zip(updates, masks))
        # Divided by 1 - drop, an update keeps its expected value.
        rescaled = kept_sum / (1 - drop)
        return base + scale * rescaled / len(shas)

    return merge_elementwise(rule, start, weights, start.names)


def keep_mask(
    seed_source: list[str | int],
    size: int,
    drop: float,
) -> "torch.Tensor":
    """Draw which numbers of one ingredient's chunk stay.

    The draw follows from the ingredient, the chunk and the seed, so it does not depend on the
    other ingredients.

    Args:
        seed_source: The option seed, the ingredient's SHA-256, the tensor's name and the index
            of the chunk's first number.
        size: Numbers in the chunk.
        drop: Probability that a number is dropped.

    Returns:
        bool [size], True where a number stays.
    """
    import torch

    from ...runtime.digest import sha256 as digest

    # 12 hexadecimal digits are 48 bits, which torch takes as a seed.
    seed = int(digest(seed_source)[:12], 16)
    generator = torch.Generator().manual_seed(seed)
    draws = torch.rand(
        size,
        generator=generator,
        dtype=torch.float64,
    )
    return draws >= drop
