"""DARE (Yu et al., ICML 2024): drop numbers of the updates at random and rescale the rest.

Each number of each update is dropped with probability ``drop``, else divided by 1 - drop;
the merge is the start plus ``scale`` times the mean of what is left.
"""

from pydantic import Field

from ...runtime.options import Seeded
from . import Method


class Options(Seeded):
    drop: float = Field(
        0.5, ge=0, lt=1, description="probability that a number of an update is dropped"
    )
    scale: float = Field(1.0, gt=0, description="factor of the mean of what is left")


METHOD = Method(options=Options, mixes="weights")


def merge(ingredients: dict[str, str], context):
    from ..elementwise import elementwise

    start, spec = context.weights(context.start), context.spec
    shas = sorted(ingredients.values())
    weights = [context.weights(sha) for sha in shas]

    def rule(base, updates, name, begin):
        masks = [kept(sha, name, begin, updates.shape[1], spec) for sha in shas]
        rest = sum(update * mask for update, mask in zip(updates, masks)) / (
            1 - spec["drop"]
        )
        return base + spec["scale"] * rest / len(shas)

    return elementwise(rule, start, weights, start.names)


def kept(sha256: str, name: str, begin: int, size: int, spec: dict):
    """bool [size]: which numbers of one ingredient's piece stay.

    The draw follows from the ingredient, the piece and the seed, not from who else is there.
    """
    import torch

    from ...runtime.digest import sha256 as digest

    seed = int(digest([spec["seed"], sha256, name, begin])[:12], 16)
    drawn = torch.rand(
        size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return drawn >= spec["drop"]
