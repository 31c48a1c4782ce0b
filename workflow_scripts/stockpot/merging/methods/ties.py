"""TIES (Yadav et al., NeurIPS 2023): trim, elect a sign, take the mean of those that agree.

Of every update the largest ``density`` of all its numbers are kept; for each number the sign
with the larger total wins; the merge is the start plus ``scale`` times the mean of the kept
updates of that sign.
"""

from pydantic import Field

from ...runtime.options import PluginOptions
from . import Method


class Options(PluginOptions):
    density: float = Field(
        0.2, gt=0, le=1, description="share of each update's numbers that is kept"
    )
    scale: float = Field(1.0, gt=0, description="factor of the mean update")


METHOD = Method(options=Options, mixes="weights")


def merge(ingredients: dict[str, str], context):
    from ..elementwise import elementwise, magnitude

    start, spec = context.weights(context.start), context.spec
    weights = [context.weights(sha) for sha in sorted(ingredients.values())]
    limits = [magnitude(start, w, start.names, spec["density"]) for w in weights]

    def rule(base, updates, name, begin):
        return base + spec["scale"] * elected(trimmed(updates, limits))

    return elementwise(rule, start, weights, start.names)


def trimmed(updates, limits: list[float]):
    """Updates [k, p] with zeros where a magnitude is below its ingredient's limit."""
    import torch

    least = torch.tensor(limits, dtype=torch.float32)[:, None]
    return torch.where(updates.float().abs() >= least, updates, 0.0)


def elected(updates):
    """[k, p] -> [p]: the mean over the ingredients whose sign is that of the sum; 0 without any."""
    import torch

    agree = torch.where(updates.sign() == updates.sum(0).sign(), updates, 0.0)
    return agree.sum(0) / (agree != 0).sum(0).clamp_min(1)
